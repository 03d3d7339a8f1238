//! A batch that is being processed on the threads of queries.

use std::sync::mpsc::{self, Receiver, RecvTimeoutError, TryRecvError};
use std::time::{Duration, Instant};

use futures::future::BoxFuture;
use tokio::runtime::Handle;
use tokio::task::AbortHandle;

use crate::StreamError;
use crate::batch::{OutputBatch, next_offsets};
use lexstream_kafka::{Messages, Offsets, Partition, Wake};

/// Processes a batch of messages; the future runs on the threads of queries.
pub(crate) type Process<B> =
    Box<dyn Fn(Messages) -> BoxFuture<'static, Result<B, StreamError>> + Send>;

/// A batch that is being processed, or has been; dropping it cancels the query.
#[derive(Debug)]
pub(super) struct InFlight<B> {
    /// The offsets behind the batch.
    pub(super) next: Offsets,
    /// The bytes of the messages, and of their results.
    pub(super) bytes: usize,
    first: (Partition, i64),
    started: Instant,
    task: AbortHandle,
    to_come: Receiver<Result<B, StreamError>>,
    result: Option<Result<B, StreamError>>,
}

impl<B: OutputBatch> InFlight<B> {
    /// Starts to process a batch that is not empty; `wake` is called when it is done.
    pub(super) fn start(
        messages: Messages,
        process: &Process<B>,
        runtime: &Handle,
        wake: &Wake,
    ) -> Self {
        let (send, to_come) = mpsc::channel();
        let first = messages.at(0);
        let first = (first.origin(), first.offset());
        let next = next_offsets(&messages);
        let bytes = messages.bytes();
        let processing = process(messages);
        let wake = wake.clone();
        let task = runtime.spawn(async move {
            let result = processing.await;
            // The loop may have dropped the batch.
            let _ = send.send(result);
            wake();
        });
        Self {
            next,
            bytes,
            first,
            started: Instant::now(),
            task: task.abort_handle(),
            to_come,
            result: None,
        }
    }

    /// Tells whether the batch has been processed.
    pub(super) fn is_done(&mut self) -> bool {
        if self.result.is_none() {
            match self.to_come.try_recv() {
                Ok(result) => self.put(result),
                Err(TryRecvError::Empty) => {}
                Err(TryRecvError::Disconnected) => self.put(Err(self.lost())),
            }
        }
        self.result.is_some()
    }

    /// Waits until the batch has been processed, or a deadline; tells whether it has.
    pub(super) fn wait_until(&mut self, deadline: Instant) -> bool {
        if !self.is_done() {
            let time = deadline.saturating_duration_since(Instant::now());
            match self.to_come.recv_timeout(time) {
                Ok(result) => self.put(result),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => self.put(Err(self.lost())),
            }
        }
        self.result.is_some()
    }

    fn put(&mut self, result: Result<B, StreamError>) {
        self.bytes += result.as_ref().map_or(0, OutputBatch::bytes);
        self.result = Some(result);
    }

    /// Returns the result of a batch that is done.
    pub(super) fn take(mut self) -> Result<B, StreamError> {
        let result = self.result.take();
        result.unwrap_or_else(|| Err(self.lost()))
    }

    /// Returns how long ago it was started.
    pub(super) fn age(&self) -> Duration {
        self.started.elapsed()
    }

    /// Tells whether it has messages of a partition.
    pub(super) fn holds(&self, partition: &Partition) -> bool {
        self.next.contains_key(partition)
    }

    fn lost(&self) -> StreamError {
        let (partition, offset) = self.first.clone();
        StreamError::Lost { partition, offset }
    }
}

impl<B> Drop for InFlight<B> {
    fn drop(&mut self) {
        self.task.abort();
    }
}
