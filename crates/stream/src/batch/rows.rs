//! A processed batch whose rows go to files.

use std::collections::BTreeMap;

use datafusion::arrow::array::{RecordBatch, UInt32Array};
use datafusion::arrow::compute::take_record_batch;
use datafusion::common::Result;
use datafusion::common::utils::memory::RecordBatchMemoryCounter;

use super::dead_letter::Counts;
use super::{InputBatch, OutputBatch};
use lexstream_kafka::Partition;

/// A batch of messages with the rows that they became, by the partition that these come from.
#[derive(Debug)]
pub(crate) struct OutputRows {
    input: InputBatch,
    rows: BTreeMap<Partition, Vec<RecordBatch>>,
    counts: Counts,
    by_partition: BTreeMap<Partition, Counts>,
    bytes: usize,
}

impl OutputRows {
    /// Splits rows by partition; `outputs` are rows with the message that each comes from.
    ///
    /// # Errors
    /// Where Arrow can't take rows out of a batch.
    pub(crate) fn new(input: InputBatch, outputs: Vec<(RecordBatch, Vec<u32>)>) -> Result<Self> {
        let messages = outputs.iter().flat_map(|(_, messages)| messages);
        let counts = input.count(messages.copied());
        let mut rows: BTreeMap<Partition, Vec<RecordBatch>> = BTreeMap::new();
        let mut by_partition: BTreeMap<Partition, Counts> = BTreeMap::new();
        let mut memory = RecordBatchMemoryCounter::new();
        for (batch, messages) in outputs {
            // Before it is split: parts share what texts lie in.
            memory.count_batch(&batch);
            let mut places: BTreeMap<Partition, Vec<u32>> = BTreeMap::new();
            for (row, message) in (0u32..).zip(messages) {
                if !input.dead.contains_key(&message) {
                    let origin = input.messages.at(message as usize).origin();
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
        for (place, message) in (0u32..).zip(input.messages.iter()) {
            let counts = by_partition.entry(message.origin()).or_default();
            counts.messages += 1;
            counts.dead += u64::from(input.dead.contains_key(&place));
        }
        Ok(Self {
            input,
            rows,
            counts,
            by_partition,
            bytes: memory.memory_usage(),
        })
    }

    /// Returns the rows that come from each partition, in the order of its messages.
    pub(crate) fn rows(&self) -> &BTreeMap<Partition, Vec<RecordBatch>> {
        &self.rows
    }

    /// Returns how many messages of each partition were read and failed, and how many rows they became.
    pub(crate) fn by_partition(&self) -> &BTreeMap<Partition, Counts> {
        &self.by_partition
    }
}

impl OutputBatch for OutputRows {
    fn input(&self) -> &InputBatch {
        &self.input
    }

    fn counts(&self) -> Counts {
        self.counts
    }

    fn bytes(&self) -> usize {
        self.bytes
    }
}
