//! Delivery to files: the rename of a file is the commit of its range of offsets.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::folder::{Folder, Part};
use super::{Delivered, Delivery, WriteRequest};
use crate::StreamError;
use crate::batch::{DeadLetterTarget, OutputBatch, OutputRows};
use crate::metrics::Control;
use lexstream_kafka::{KafkaProducer, Offsets, Partition, TransactionError, TransactionalProducer};

/// Sizes at which a file is finished.
#[derive(Debug, Clone)]
pub(crate) struct RollLimits {
    pub(crate) rows: u64,
    pub(crate) bytes: usize,
}

/// Writes the rows of each partition to files of their own, one a range of offsets.
///
/// The folder's last files say what is durable; the group's offsets follow, for monitoring.
#[derive(Debug)]
pub(crate) struct FileDelivery {
    folder: Folder,
    limits: RollLimits,
    /// Unfinished files.
    parts: BTreeMap<Partition, Part>,
    /// Without transactions: dead letters are delivered at least once.
    dead_letters: Option<(KafkaProducer, DeadLetterTarget)>,
    control: Arc<Control>,
}

impl FileDelivery {
    /// Prepares the folder.
    ///
    /// # Errors
    /// Where it can't be made or cleaned.
    pub(crate) fn try_new(
        folder: Folder,
        limits: RollLimits,
        dead_letters: Option<(KafkaProducer, DeadLetterTarget)>,
        control: Arc<Control>,
    ) -> Result<Self, StreamError> {
        folder.prepare()?;
        Ok(Self {
            folder,
            limits,
            parts: BTreeMap::new(),
            dead_letters,
            control,
        })
    }

    /// Appends a batch to the files of its partitions.
    fn append(&mut self, batch: &OutputRows, request: &WriteRequest) -> Result<(), StreamError> {
        if let Some((producer, target)) = &mut self.dead_letters {
            let input = batch.input();
            input
                .dead_letters(target, |message, record| {
                    producer.send(record, message as usize)
                })
                .map_err(|error| dead_letter_error(error, batch))?;
        }
        for (partition, counts) in batch.by_partition() {
            self.part(partition, request)?.counts += *counts;
        }
        for (partition, batches) in batch.rows() {
            let part = self.part(partition, request)?;
            for rows in batches {
                part.write(rows)?;
            }
        }
        Ok(())
    }

    /// Returns the unfinished file of a partition; a new one begins behind what is durable.
    fn part(
        &mut self,
        partition: &Partition,
        request: &WriteRequest,
    ) -> Result<&mut Part, StreamError> {
        match self.parts.entry(partition.clone()) {
            Entry::Occupied(part) => Ok(part.into_mut()),
            Entry::Vacant(vacant) => {
                let position = request.positions.get(partition);
                let first = position.map_or(0, |position| position.offset);
                Ok(vacant.insert(self.folder.begin(partition, first)?))
            }
        }
    }
}

impl Delivery for FileDelivery {
    type Batch = OutputRows;

    /// A file ends behind the batch that fills it.
    const WRITE_PAUSE: Duration = Duration::ZERO;

    const COMMITS_OFFSETS: bool = false;

    fn durable(&mut self, partitions: &[Partition]) -> Result<Offsets, StreamError> {
        let mut durable = Offsets::new();
        for partition in partitions {
            if let Some(next) = self.folder.next_of(partition)? {
                durable.insert(partition.clone(), next);
            }
        }
        Ok(durable)
    }

    fn write(
        &mut self,
        batches: &mut [OutputRows],
        request: &WriteRequest,
    ) -> Result<Delivered, StreamError> {
        for batch in &*batches {
            self.append(batch, request)?;
        }
        for (partition, next) in &request.next {
            // A range whose rows were all filtered has a file too, or it would be read again.
            self.part(partition, request)?.next = *next;
        }
        let RollLimits { rows, bytes } = self.limits;
        let full = self
            .parts
            .iter()
            .filter(|(_, part)| part.counts.outputs >= rows || part.file.bytes() >= bytes)
            .map(|(partition, _)| partition.clone());
        let full: Vec<_> = full.collect();
        self.flush(&full)
    }

    fn flush(&mut self, partitions: &[Partition]) -> Result<Delivered, StreamError> {
        let mut durable = Offsets::new();
        let parts: Vec<_> = partitions
            .iter()
            .filter_map(|partition| Some((partition, self.parts.remove(partition)?)))
            .collect();
        if !parts.is_empty()
            && let Some((producer, _)) = &self.dead_letters
        {
            // What a reader of the file finds missing is there before it.
            producer
                .flush()
                .map_err(|source| StreamError::DeadLetters { source })?;
        }
        for (partition, part) in parts {
            let next = part.next;
            let started = Instant::now();
            if !part.commit(&self.folder)? {
                tracing::warn!(%partition, "another process has written the range");
                return Ok(Delivered::Unknown);
            }
            self.control.metrics.committed(started.elapsed());
            durable.insert(partition.clone(), next);
        }
        Ok(Delivered::Durable(durable))
    }

    fn discard(&mut self, partitions: &[Partition]) {
        for partition in partitions {
            self.parts.remove(partition);
        }
    }
}

/// Returns the error of a dead letter that can't be sent.
fn dead_letter_error(error: TransactionError, batch: &OutputRows) -> StreamError {
    match error {
        TransactionError::Refused(refused) => {
            let message = refused.first().map_or(0, |(message, _)| *message);
            let message = u32::try_from(message).unwrap_or_default();
            let (partition, offset) = batch.input().origin(message);
            StreamError::Poison {
                partition,
                offset,
                source: Arc::new(TransactionError::Refused(refused)),
            }
        }
        source => StreamError::DeadLetters { source },
    }
}
