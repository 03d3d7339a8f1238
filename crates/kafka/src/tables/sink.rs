//! `INSERT INTO` a topic: all rows in one transaction, or none.
//!
//! Records are kept until the query has ended: a query that fails, is dropped or killed never opened a transaction, and
//! none is open longer than it takes to send.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::{DataFusionError, Result, exec_datafusion_err};
use datafusion::datasource::sink::DataSink;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::{DisplayAs, DisplayFormatType};
use futures::StreamExt;
use tokio::sync::{mpsc, oneshot};

use super::row_error::RowError;
use super::row_writer::RowWriter;
use crate::{NewRecord, OneTransaction, Spool, TopicOptions, Wanted, find_ranges};

/// How many batches wait to be written.
const BATCHES_WAITING: usize = 2;

/// A row that can't be written.
#[derive(Debug, thiserror::Error)]
#[error("{topic}: row {row}: nothing was written")]
pub struct UnwrittenRow {
    /// The topic.
    pub topic: String,
    /// Which row of the INSERT, from 1.
    pub row: u64,
    /// Why.
    pub source: RowError,
}

/// Writes the rows of one INSERT, one a message, on a thread of its own.
pub(super) struct KafkaSink {
    options: Arc<TopicOptions>,
    topic: String,
    writer: Arc<RowWriter>,
    schema: SchemaRef,
}

/// What the thread is told; when it is told nothing more, before the end, nothing is written.
enum Told {
    Keep(RecordBatch),
    Write,
}

impl KafkaSink {
    pub(super) fn new(
        options: Arc<TopicOptions>,
        topic: String,
        writer: RowWriter,
        schema: SchemaRef,
    ) -> Self {
        Self {
            options,
            topic,
            writer: Arc::new(writer),
            schema,
        }
    }
}

impl fmt::Debug for KafkaSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KafkaSink({})", self.topic)
    }
}

impl DisplayAs for KafkaSink {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KafkaSink(topic={})", self.topic)
    }
}

#[async_trait]
impl DataSink for KafkaSink {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    async fn write_all(
        &self,
        mut data: SendableRecordBatchStream,
        _: &Arc<TaskContext>,
    ) -> Result<u64> {
        let (sender, told) = mpsc::channel(BATCHES_WAITING);
        let (answer, outcome) = oneshot::channel();
        let options = Arc::clone(&self.options);
        let (topic, writer) = (self.topic.clone(), Arc::clone(&self.writer));
        let write = move || {
            // Nobody hears it where the query was dropped meanwhile.
            let _ = answer.send(write(&options, &topic, &writer, told));
        };
        let thread = std::thread::Builder::new().name("kafka-insert".to_owned());
        thread.spawn(write)?;
        let mut failure = None;
        while let Some(batch) = data.next().await {
            let batch = match batch {
                Ok(batch) => batch,
                Err(error) => {
                    failure = Some(error);
                    break;
                }
            };
            // A thread that listens no more has its reason ready.
            if sender.send(Told::Keep(batch)).await.is_err() {
                break;
            }
        }
        if failure.is_none() {
            // As above.
            let _ = sender.send(Told::Write).await;
        }
        drop(sender);
        // The abort is waited for: a failed INSERT has left nothing behind when it says so.
        let outcome = outcome.await;
        match failure {
            Some(error) => Err(error),
            None => {
                outcome.map_err(|_| exec_datafusion_err!("the thread that writes ended early"))?
            }
        }
    }
}

fn write(
    options: &TopicOptions,
    topic: &str,
    writer: &RowWriter,
    mut told: mpsc::Receiver<Told>,
) -> Result<u64> {
    let wrong = |error| DataFusionError::External(Box::new(error));
    // A producer's question would make the topic where brokers do so.
    let nothing = Wanted {
        partitions: Vec::new(),
        ..Wanted::default()
    };
    let mut is_there = Ok(Vec::new());
    find_ranges(options, &nothing, |ranges| is_there = ranges);
    is_there.map_err(wrong)?;
    let (mut spool, mut rows) = (Spool::default(), 0);
    while let Some(next) = told.blocking_recv() {
        match next {
            Told::Keep(batch) => {
                keep(&mut spool, topic, writer, &batch, rows)?;
                rows += batch.num_rows() as u64;
            }
            Told::Write if rows == 0 => return Ok(0),
            Told::Write => {
                send(options, topic, spool)?;
                return Ok(rows);
            }
        }
    }
    // The query failed or was dropped, and nobody hears this.
    Ok(0)
}

fn keep(
    spool: &mut Spool,
    topic: &str,
    writer: &RowWriter,
    batch: &RecordBatch,
    before: u64,
) -> Result<()> {
    // Each row is its own message's, in every format.
    let sources: Vec<_> = (0_u32..).take(batch.num_rows()).collect();
    let mut records = writer.write(batch, &sources)?;
    if !records.failed.is_empty() {
        let (row, source) = records.failed.swap_remove(0);
        return Err(DataFusionError::External(Box::new(UnwrittenRow {
            topic: topic.to_owned(),
            row: before + u64::from(row) + 1,
            source,
        })));
    }
    for record in 0..records.len() {
        spool.push(NewRecord {
            key: records.key(record),
            value: records.value(record),
            timestamp: records.timestamp(record),
            headers: records.headers(record),
        })?;
    }
    Ok(())
}

fn send(options: &TopicOptions, topic: &str, spool: Spool) -> Result<()> {
    let wrong = |error| DataFusionError::External(Box::new(error));
    let mut records = spool.into_records()?;
    let mut transaction = OneTransaction::begin(options, topic).map_err(wrong)?;
    while let Some(record) = records.read()? {
        transaction.send(record).map_err(wrong)?;
    }
    transaction.commit().map_err(wrong)
}
