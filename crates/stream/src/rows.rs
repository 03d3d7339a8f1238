//! A batch whose rows go to files.

use std::collections::BTreeMap;

use datafusion::arrow::array::{RecordBatch, UInt32Array};
use datafusion::arrow::compute::take_record_batch;
use datafusion::common::Result;
use datafusion::common::utils::memory::RecordBatchMemoryCounter;

use super::delivery::Batch;
use super::taken::{Counts, DeadLetter, DeadLetters, Taken};
use lexstream_kafka::{Partition, Record};

/// A batch of messages with the rows that they became, by the partition that these come from.
#[derive(Debug)]
pub(super) struct ScoredRows {
    taken: Taken,
    rows: BTreeMap<Partition, Vec<RecordBatch>>,
    counts: Counts,
    by_partition: BTreeMap<Partition, Counts>,
    bytes: usize,
}

impl ScoredRows {
    /// Puts a batch together; `outputs` are rows with the message that each comes from.
    pub(super) fn new(taken: Taken, outputs: Vec<(RecordBatch, Vec<u32>)>) -> Result<Self> {
        let messages = outputs.iter().flat_map(|(_, messages)| messages);
        let counts = taken.count(messages.copied());
        let mut rows: BTreeMap<Partition, Vec<RecordBatch>> = BTreeMap::new();
        let mut by_partition: BTreeMap<Partition, Counts> = BTreeMap::new();
        let mut memory = RecordBatchMemoryCounter::new();
        for (batch, messages) in outputs {
            // Before it is split: parts share what texts lie in.
            memory.count_batch(&batch);
            let mut places: BTreeMap<Partition, Vec<u32>> = BTreeMap::new();
            for (row, message) in (0u32..).zip(messages) {
                if !taken.dead.contains_key(&message) {
                    let origin = taken.messages.at(message as usize).origin();
                    places.entry(origin).or_default().push(row);
                }
            }
            for (partition, places) in places {
                by_partition.entry(partition.clone()).or_default().outputs += places.len() as u64;
                let part = match places.len() == batch.num_rows() {
                    true => batch.clone(),
                    false => take_record_batch(&batch, &UInt32Array::from(places))?,
                };
                rows.entry(partition).or_default().push(part);
            }
        }
        for (place, message) in (0u32..).zip(taken.messages.iter()) {
            let counts = by_partition.entry(message.origin()).or_default();
            counts.messages += 1;
            counts.dead += u64::from(taken.dead.contains_key(&place));
        }
        Ok(Self {
            taken,
            rows,
            counts,
            by_partition,
            bytes: memory.memory_usage(),
        })
    }

    /// Returns the rows that come from each partition, in the order of its messages.
    pub(super) fn rows(&self) -> &BTreeMap<Partition, Vec<RecordBatch>> {
        &self.rows
    }

    /// Returns how many messages of each partition were read and failed, and how many rows they became.
    pub(super) fn by_partition(&self) -> &BTreeMap<Partition, Counts> {
        &self.by_partition
    }

    /// Hands out the dead letters; ends at the first error.
    pub(super) fn letters<E>(
        &self,
        letters: &DeadLetters,
        send: impl FnMut(u32, &Record<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.taken.letters(letters, send)
    }

    /// Returns where a message is.
    pub(super) fn place_of(&self, message: u32) -> (Partition, i64) {
        let message = self.taken.messages.at(message as usize);
        (message.origin(), message.offset())
    }
}

impl Batch for ScoredRows {
    fn counts(&self) -> Counts {
        self.counts
    }

    fn bytes(&self) -> usize {
        self.bytes
    }

    fn timestamps(&self) -> Vec<i64> {
        self.taken.timestamps()
    }

    fn dead(&self) -> Option<[(Partition, i64, &DeadLetter); 2]> {
        self.taken.first_and_last_dead()
    }
}
