//! Delivery to files: rows are there for good when the file of their range has its name.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::StreamError;
use super::control::Control;
use super::delivery::{Delivered, Delivery, Meanwhile, Position, Source};
use super::folder::{Folder, Part};
use super::kafka_source::KafkaSource;
use super::rows::ScoredRows;
use super::taken::DeadLetters;
use lexstream_kafka::{Messages, Offsets, Partition, Polled, TransactionError, Transactions};

/// When a file is put in place.
#[derive(Debug, Clone)]
pub(super) struct RollLimits {
    pub(super) rows: u64,
    pub(super) bytes: usize,
    pub(super) interval: Duration,
}

/// Writes the rows of each partition to files of their own, one a range of offsets.
///
/// What a folder's last files say is the truth; the group's offsets follow, for those who watch its lag.
#[derive(Debug)]
pub(super) struct Files {
    source: FolderSource,
    control: Arc<Control>,
    limits: RollLimits,
    parts: BTreeMap<Partition, Part>,
    letters: Option<(Transactions, DeadLetters)>,
}

impl Files {
    /// Writes to a folder; messages that fail are sent with a producer that has no transactions: at least once.
    pub(super) fn new(
        source: KafkaSource,
        folder: Folder,
        limits: RollLimits,
        letters: Option<(Transactions, DeadLetters)>,
        control: Arc<Control>,
    ) -> Result<Self, StreamError> {
        folder.prepare()?;
        Ok(Self {
            source: FolderSource {
                kafka: source,
                folder,
                at: Offsets::new(),
            },
            control,
            limits,
            parts: BTreeMap::new(),
            letters,
        })
    }

    /// Adds the rows of a batch to the files of their partitions.
    fn add(&mut self, batch: &ScoredRows) -> Result<(), StreamError> {
        if let Some((producer, letters)) = &self.letters {
            batch
                .letters(letters, |message, record| {
                    producer.send(record, message as usize)
                })
                .map_err(|error| of_letter(error, batch))?;
        }
        for (partition, counts) in batch.by_partition() {
            let part = self.part(partition)?;
            part.counts += *counts;
        }
        for (partition, batches) in batch.rows() {
            let part = self.part(partition)?;
            for rows in batches {
                part.write(rows)?;
            }
        }
        Ok(())
    }

    /// Returns the file that a partition's rows go to.
    fn part(&mut self, partition: &Partition) -> Result<&mut Part, StreamError> {
        match self.parts.entry(partition.clone()) {
            std::collections::btree_map::Entry::Occupied(part) => Ok(part.into_mut()),
            std::collections::btree_map::Entry::Vacant(place) => {
                let first = self.source.at.get(partition).copied().unwrap_or_default();
                Ok(place.insert(self.source.folder.begin(partition, first)?))
            }
        }
    }

    /// Puts the files of partitions in place.
    fn place(&mut self, partitions: &[Partition]) -> Result<Delivered, StreamError> {
        let mut placed = Offsets::new();
        if partitions
            .iter()
            .any(|partition| self.parts.contains_key(partition))
            && let Some((producer, _)) = &self.letters
        {
            // What a reader of the file finds missing is there before it.
            producer
                .flush()
                .map_err(|error| StreamError::Letters { source: error })?;
        }
        for partition in partitions {
            let Some(part) = self.parts.remove(partition) else {
                continue;
            };
            let next = part.next;
            let began = Instant::now();
            if !part.place(&self.source.folder)? {
                tracing::warn!(%partition, "another process has written the range");
                return Ok(Delivered::Unknown);
            }
            self.control.metrics.committed(began.elapsed());
            self.source.at.insert(partition.clone(), next);
            placed.insert(partition.clone(), next);
        }
        self.source.kafka.advise(&placed);
        Ok(Delivered::Done(placed))
    }
}

impl Delivery for Files {
    type Source = FolderSource;
    type Batch = ScoredRows;

    /// Files end behind the batch that fills them.
    const REST: Duration = Duration::ZERO;

    fn source(&mut self) -> &mut FolderSource {
        &mut self.source
    }

    fn deliver(
        &mut self,
        batches: &mut [ScoredRows],
        next: &Offsets,
        _: Offsets,
        _: Meanwhile<'_>,
    ) -> Result<Delivered, StreamError> {
        for batch in &*batches {
            self.add(batch)?;
        }
        for (partition, next) in next {
            // A range whose rows were all filtered has a file too, or it would be read again.
            self.part(partition)?.next = *next;
        }
        let full: Vec<_> = self
            .parts
            .iter()
            .filter(|(_, part)| {
                part.counts.outputs >= self.limits.rows || part.file.bytes() >= self.limits.bytes
            })
            .map(|(partition, _)| partition.clone())
            .collect();
        self.place(&full)
    }

    fn tick(&mut self) -> Result<Delivered, StreamError> {
        let due: Vec<_> = self
            .parts
            .iter()
            .filter(|(_, part)| part.began.elapsed() >= self.limits.interval)
            .map(|(partition, _)| partition.clone())
            .collect();
        self.place(&due)
    }

    fn flush(&mut self, partitions: &[Partition]) -> Result<Delivered, StreamError> {
        self.place(partitions)
    }

    fn forget(&mut self, partitions: &[Partition]) {
        for partition in partitions {
            self.parts.remove(partition);
        }
    }
}

/// A topic, read from behind what a folder holds of it.
#[derive(Debug)]
pub(super) struct FolderSource {
    kafka: KafkaSource,
    folder: Folder,
    /// The offset behind the last file of each partition that is read.
    at: Offsets,
}

impl Source for FolderSource {
    fn poll(&mut self, messages: &mut Messages) -> Result<Polled, StreamError> {
        self.kafka.poll(messages)
    }

    fn starts(
        &mut self,
        partitions: &[Partition],
    ) -> Result<BTreeMap<Partition, Position>, StreamError> {
        let mut starts = BTreeMap::new();
        let mut without = Vec::new();
        for partition in partitions {
            match self.folder.next_of(partition)? {
                Some(offset) => {
                    let position = Position {
                        offset,
                        is_committed: true,
                    };
                    starts.insert(partition.clone(), position);
                }
                None => without.push(partition.clone()),
            }
        }
        starts.extend(self.kafka.starts(&without)?);
        for (partition, start) in &starts {
            self.at.insert(partition.clone(), start.offset);
        }
        Ok(starts)
    }

    fn assign(&mut self, offsets: &Offsets) -> Result<(), StreamError> {
        self.kafka.assign(offsets)
    }

    fn unassign(&mut self, partitions: &[Partition]) -> Result<(), StreamError> {
        self.kafka.unassign(partitions)
    }

    fn pause(&mut self, partitions: &[Partition]) -> Result<(), StreamError> {
        self.kafka.pause(partitions)
    }

    fn resume(&mut self, partitions: &[Partition]) -> Result<(), StreamError> {
        self.kafka.resume(partitions)
    }

    fn seek(&mut self, offsets: &Offsets) -> Result<(), StreamError> {
        self.kafka.seek(offsets)
    }

    fn is_at_end(&mut self, partition: &Partition, offset: i64) -> Result<bool, StreamError> {
        self.kafka.is_at_end(partition, offset)
    }
}

/// Returns the error of a dead letter that can't be sent.
fn of_letter(error: TransactionError, batch: &ScoredRows) -> StreamError {
    match error {
        TransactionError::Refused(refused) => {
            let message = refused.first().map_or(0, |(message, _)| *message);
            let (partition, offset) = batch.place_of(u32::try_from(message).unwrap_or_default());
            StreamError::Poison {
                partition,
                offset,
                source: Arc::new(TransactionError::Refused(refused)),
            }
        }
        source => StreamError::Letters { source },
    }
}
