//! Processing of a batch: decode, query, encode.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use datafusion::arrow::array::{Array, RecordBatch, UInt32Array};
use datafusion::common::DataFusionError;

use super::batch::{DeadLetter, InputBatch, OutputRecords, OutputRows, SinkRecords};
use super::plan::Sink;
use super::{Cause, StreamError};
use lexstream_engine::message::message;
use lexstream_kafka::tables::{RowError, RowReader};
use lexstream_kafka::{DeadLetterOptions, Messages};
use lexstream_rowwise::{Outcome, Rowwise, RowwiseError};

/// The first back-off after a failure that may pass.
const BACK_OFF: Duration = Duration::from_millis(100);

/// Decodes messages, runs queries over their rows and encodes what comes out.
#[derive(Debug)]
pub(crate) struct Pipeline {
    pub(crate) reader: RowReader,
    pub(crate) rowwise: Rowwise,
    pub(crate) sinks: Vec<Arc<Sink>>,
    pub(crate) errors: DeadLetterOptions,
}

impl Pipeline {
    /// Makes records of a batch's rows; a message of which any row fails, in any query, has no output.
    ///
    /// # Errors
    /// Where the queries fail for no fault of a message.
    pub(crate) async fn process_to_records(
        &self,
        messages: Messages,
    ) -> Result<OutputRecords, StreamError> {
        let Computed {
            messages,
            mut dead,
            outputs,
        } = self.compute(messages).await?;
        let mut written = Vec::new();
        for (sink, batches) in self.sinks.iter().zip(outputs) {
            for (batch, sources) in batches {
                let records = sink.writer.write(&batch, &sources);
                let mut records = records.map_err(|source| failed_at(&messages, source))?;
                for (row, error) in std::mem::take(&mut records.failed) {
                    dead.entry(sources[row as usize])
                        .or_insert_with(|| of_message("VALUE_CONVERTER", error));
                }
                let of_record = |at| sources[records.row(at) as usize];
                written.push(SinkRecords {
                    sink: Arc::clone(sink),
                    messages: (0..records.len()).map(of_record).collect(),
                    records,
                });
            }
        }
        Ok(OutputRecords::new(InputBatch::new(messages, dead), written))
    }

    /// Makes rows, of the one query; as [`Pipeline::process_to_records`].
    ///
    /// # Errors
    /// Where the query fails for no fault of a message.
    pub(crate) async fn process_to_rows(
        &self,
        messages: Messages,
    ) -> Result<OutputRows, StreamError> {
        let Computed {
            messages,
            dead,
            outputs,
        } = self.compute(messages).await?;
        let place = {
            let first = messages.at(0);
            (first.origin(), first.offset())
        };
        let outputs = outputs.into_iter().flatten().collect();
        let rows = OutputRows::new(InputBatch::new(messages, dead), outputs);
        rows.map_err(|source| StreamError::Run {
            partition: place.0,
            offset: place.1,
            source,
        })
    }

    /// Decodes messages and runs the queries over them.
    pub(crate) async fn compute(&self, messages: Messages) -> Result<Computed, StreamError> {
        let rows = self.reader.read(&messages);
        let rows = rows.map_err(|source| failed_at(&messages, source))?;
        let mut dead: BTreeMap<u32, DeadLetter> = BTreeMap::new();
        for (message, error) in rows.failed {
            dead.entry(message)
                .or_insert_with(|| of_message("VALUE_CONVERTER", error));
        }
        let outcome = self.run(rows.batch).await;
        let outcome = outcome.map_err(|error| failed_at(&messages, error.into()))?;
        for failed in outcome.failed {
            let letter = DeadLetter {
                stage: "TRANSFORMATION",
                class: "lexstream.QueryError",
                cause: Arc::new(RowFailed(message(&failed.error))),
            };
            dead.entry(rows.messages[failed.row as usize])
                .or_insert(letter);
        }
        let outputs = outcome.outputs.into_iter().map(|batches| {
            let batches = batches.into_iter();
            let with_sources = batches.map(|output| {
                let sources = sources(&output.origins, &rows.messages);
                (output.batch, sources)
            });
            with_sources.collect()
        });
        Ok(Computed {
            outputs: outputs.collect(),
            messages,
            dead,
        })
    }

    /// Runs the queries; a failure that no message is to blame for is retried for as long as the options say.
    async fn run(&self, batch: RecordBatch) -> Result<Outcome, RowwiseError> {
        let began = Instant::now();
        let mut delay = BACK_OFF;
        loop {
            let error = match self.rowwise.run(batch.clone()).await {
                Ok(outcome) => return Ok(outcome),
                Err(error) => error,
            };
            let is_over = self
                .errors
                .retry_timeout
                .is_some_and(|timeout| began.elapsed() + delay > timeout);
            if is_over {
                return Err(error);
            }
            let error = message(&error.into());
            tracing::warn!(%error, "the queries fail; they are retried");
            tokio::time::sleep(delay).await;
            delay = (delay * 2).min(self.errors.retry_delay_max);
        }
    }
}

/// What the queries made of messages.
#[derive(Debug)]
pub(crate) struct Computed {
    pub(crate) messages: Messages,
    pub(crate) dead: BTreeMap<u32, DeadLetter>,
    /// The rows of each query, with the message that each comes from, ascending.
    pub(crate) outputs: Vec<Vec<(RecordBatch, Vec<u32>)>>,
}

/// Returns the error of queries that fail for no fault of a message.
fn failed_at(messages: &Messages, source: DataFusionError) -> StreamError {
    let first = messages.at(0);
    StreamError::Run {
        partition: first.origin(),
        offset: first.offset(),
        source,
    }
}

/// Returns the message that each row of output comes from.
fn sources(origins: &UInt32Array, messages: &[u32]) -> Vec<u32> {
    debug_assert_eq!(origins.null_count(), 0);
    let origins = origins.values().iter();
    origins.map(|row| messages[*row as usize]).collect()
}

fn of_message(stage: &'static str, error: RowError) -> DeadLetter {
    let cause: Cause = Arc::new(error);
    DeadLetter {
        stage,
        class: "lexstream.RowError",
        cause,
    }
}

/// A row that fails in a query.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct RowFailed(String);
