//! Reads a group of ranges on a thread of its own, and sends rows.

use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::common::{DataFusionError, Result};
use datafusion::physical_plan::metrics::{
    BaselineMetrics, Count, ExecutionPlanMetricsSet, MetricBuilder,
};
use tokio::sync::mpsc::Sender;

use super::row_error::RowError;
use super::row_reader::{RowReader, Rows};
use crate::{Messages, PartitionRange, RangeReader, TopicOptions};

/// Bytes of the messages of one batch, at most; a single longer message is read alone.
const BATCH_BYTES: usize = 8 << 20;

/// What the thread sends.
pub(super) enum Sent {
    Batch(RecordBatch),
    /// Everything was sent.
    End,
}

/// A message that ends a query.
#[derive(Debug, thiserror::Error)]
#[error("{topic}[{partition}]@{offset}")]
pub struct UnreadMessage {
    /// Its topic.
    pub topic: String,
    /// Its partition.
    pub partition: i32,
    /// Its offset.
    pub offset: i64,
    /// Why it can't be read.
    pub source: RowError,
}

/// What one thread reads.
pub(super) struct ReadGroup {
    options: Arc<TopicOptions>,
    reader: Arc<RowReader>,
    ranges: Arc<[PartitionRange]>,
    limit: Option<usize>,
    batch_rows: usize,
    baseline: BaselineMetrics,
    messages: Count,
    bytes: Count,
    skipped: Count,
}

impl ReadGroup {
    pub(super) fn new(
        options: Arc<TopicOptions>,
        reader: Arc<RowReader>,
        ranges: Arc<[PartitionRange]>,
        limit: Option<usize>,
        batch_rows: usize,
        metrics: &ExecutionPlanMetricsSet,
        partition: usize,
    ) -> Self {
        let count = |name: &'static str| MetricBuilder::new(metrics).counter(name, partition);
        Self {
            options,
            reader,
            ranges,
            limit,
            batch_rows,
            baseline: BaselineMetrics::new(metrics, partition),
            messages: count("messages"),
            bytes: count("bytes_scanned"),
            skipped: count("messages_skipped"),
        }
    }

    /// Reads until the ranges end, nobody listens, or something fails.
    pub(super) fn run(&self, sender: &Sender<Result<Sent>>) {
        // A consumer may take long to end: whoever asks hears of the end before that.
        let mut consumers = Vec::new();
        let last = self.read(sender, &mut consumers).map(|()| Sent::End);
        // Nobody may listen any more.
        let _ = sender.blocking_send(last);
    }

    fn read(&self, sender: &Sender<Result<Sent>>, consumers: &mut Vec<RangeReader>) -> Result<()> {
        let wrong = |error| DataFusionError::External(Box::new(error));
        let mut left = self.limit.unwrap_or(usize::MAX);
        for ranges in self.ranges.chunk_by(|a, b| a.topic == b.topic) {
            if left == 0 {
                break;
            }
            let mut consumer = RangeReader::open(&self.options, ranges).map_err(wrong)?;
            while left > 0 {
                let rows = self.batch_rows.min(left);
                let messages = consumer.read(rows, BATCH_BYTES, || !sender.is_closed());
                let Some(messages) = messages.map_err(wrong)? else {
                    break;
                };
                let rows = self.reader.read(&messages)?;
                self.messages.add(messages.len());
                self.bytes.add(messages.bytes());
                let (batch, unread) = self.sound(rows, &messages);
                let batch = batch.slice(0, batch.num_rows().min(left));
                left -= batch.num_rows();
                self.baseline.record_output(batch.num_rows());
                let is_heard =
                    batch.num_rows() == 0 || sender.blocking_send(Ok(Sent::Batch(batch))).is_ok();
                if !is_heard {
                    left = 0;
                }
                if let Some(unread) = unread.filter(|_| left > 0) {
                    return Err(DataFusionError::External(Box::new(unread)));
                }
            }
            consumers.push(consumer);
        }
        Ok(())
    }

    /// Returns the rows up to the first message that can't be read, and that one; all rows where such are passed over.
    fn sound(&self, rows: Rows, messages: &Messages) -> (RecordBatch, Option<UnreadMessage>) {
        let Some((place, error)) = rows.failed.first() else {
            return (rows.batch, None);
        };
        if self.options.dead_letters().tolerate {
            self.skipped.add(rows.failed.len());
            for (place, error) in &rows.failed {
                let unread = UnreadMessage::of(messages, *place, error);
                tracing::warn!("{unread} is left out: {error}");
            }
            return (rows.batch, None);
        }
        let before = rows.messages.partition_point(|message| message < place);
        let unread = UnreadMessage::of(messages, *place, error);
        (rows.batch.slice(0, before), Some(unread))
    }
}

impl UnreadMessage {
    fn of(messages: &Messages, place: u32, error: &RowError) -> Self {
        let message = messages.at(place as usize);
        Self {
            topic: message.topic().to_string(),
            partition: message.partition(),
            offset: message.offset(),
            source: error.clone(),
        }
    }
}
