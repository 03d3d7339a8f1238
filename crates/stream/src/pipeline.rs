//! Queries over one topic's table, and the topics that their rows go to.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use datafusion::arrow::array::{Array, RecordBatch, UInt32Array};
use datafusion::common::DataFusionError;

use super::rows::ScoredRows;
use super::scored::{Output, Scored};
use super::sink::Sink;
use super::taken::{DeadLetter, Taken};
use super::{Cause, StreamError};
use lexstream_engine::message::message;
use lexstream_kafka::tables::{RowError, RowReader};
use lexstream_kafka::{DeadLetterOptions, Messages};
use lexstream_rowwise::{Outcome, Rowwise, RowwiseError};

/// The first pause before a failure that may pass is tried again.
const FIRST_DELAY: Duration = Duration::from_millis(100);

/// What happens to a batch of messages between Kafka and Kafka.
#[derive(Debug)]
pub struct Pipeline {
    pub(super) reader: RowReader,
    pub(super) rowwise: Rowwise,
    pub(super) sinks: Vec<Arc<Sink>>,
    pub(super) errors: DeadLetterOptions,
}

impl Pipeline {
    /// Reads messages, runs the queries over them and writes records of what comes out.
    ///
    /// A message of which any row fails, in any query, has no output.
    pub(super) async fn score(&self, messages: Messages) -> Result<Scored, StreamError> {
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
                written.push(Output {
                    sink: Arc::clone(sink),
                    messages: (0..records.len()).map(of_record).collect(),
                    records,
                });
            }
        }
        Ok(Scored::new(Taken::new(messages, dead), written))
    }

    /// Reads messages and runs the one query over them.
    pub(super) async fn score_rows(&self, messages: Messages) -> Result<ScoredRows, StreamError> {
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
        let scored = ScoredRows::new(Taken::new(messages, dead), outputs);
        scored.map_err(|source| StreamError::Run {
            partition: place.0,
            offset: place.1,
            source,
        })
    }

    /// Reads messages and runs the queries over them.
    pub(super) async fn compute(&self, messages: Messages) -> Result<Computed, StreamError> {
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
                class: std::any::type_name::<DataFusionError>(),
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

    /// Runs the queries; a failure that no message is to blame for is tried again for as long as the options say.
    async fn run(&self, batch: RecordBatch) -> Result<Outcome, RowwiseError> {
        let began = Instant::now();
        let mut delay = FIRST_DELAY;
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
            tracing::warn!(%error, "the queries fail; they are tried again");
            tokio::time::sleep(delay).await;
            delay = (delay * 2).min(self.errors.retry_delay_max);
        }
    }
}

/// What the queries made of messages.
#[derive(Debug)]
pub(super) struct Computed {
    pub(super) messages: Messages,
    pub(super) dead: BTreeMap<u32, DeadLetter>,
    /// The rows of each query, with the message that each comes from, ascending.
    pub(super) outputs: Vec<Vec<(RecordBatch, Vec<u32>)>>,
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
        class: std::any::type_name::<RowError>(),
        cause,
    }
}

/// A row that fails in a query.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct RowFailed(String);
