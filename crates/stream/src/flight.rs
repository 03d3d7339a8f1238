//! Batches of messages under way.

use std::sync::mpsc::{self, Receiver, TryRecvError};
use std::time::{Duration, Instant};

use futures::future::BoxFuture;
use tokio::runtime::Handle;
use tokio::task::AbortHandle;

use super::StreamError;
use super::delivery::Batch;
use super::taken::next_offsets;
use lexstream_kafka::{Messages, Offsets, Partition, Wake};

/// Scores a batch of messages; it runs on the threads of queries.
pub type Score<B> = Box<dyn Fn(Messages) -> BoxFuture<'static, Result<B, StreamError>> + Send>;

/// A batch that is being scored, or has been.
#[derive(Debug)]
pub(super) struct Flight<B> {
    /// The offsets behind the batch.
    pub(super) next: Offsets,
    /// The bytes of the messages, and of what has come of them.
    pub(super) bytes: usize,
    first: (Partition, i64),
    began: Instant,
    task: AbortHandle,
    result: Receiver<Result<B, StreamError>>,
    /// What has come, until it is taken.
    came: Option<Result<B, StreamError>>,
}

impl<B: Batch> Flight<B> {
    /// Begins to score a batch that is not empty; `wake` is called when it has been.
    pub(super) fn start(
        messages: Messages,
        score: &Score<B>,
        runtime: &Handle,
        wake: &Wake,
    ) -> Self {
        let (send, result) = mpsc::channel();
        let first = messages.at(0);
        let first = (first.origin(), first.offset());
        let next = next_offsets(&messages);
        let bytes = messages.bytes();
        let scoring = score(messages);
        let wake = wake.clone();
        let task = runtime.spawn(async move {
            let scored = scoring.await;
            // The loop may have dropped the batch.
            let _ = send.send(scored);
            wake();
        });
        Self {
            next,
            bytes,
            first,
            began: Instant::now(),
            task: task.abort_handle(),
            result,
            came: None,
        }
    }

    /// Tells whether the batch has been scored.
    pub(super) fn is_done(&mut self) -> bool {
        if self.came.is_none() {
            match self.result.try_recv() {
                Ok(scored) => self.comes(scored),
                Err(TryRecvError::Empty) => {}
                Err(TryRecvError::Disconnected) => self.comes(Err(self.lost())),
            }
        }
        self.came.is_some()
    }

    /// Waits until the batch has been scored, or the time is up.
    pub(super) fn wait(&mut self, until: Instant) -> bool {
        if !self.is_done() {
            let time = until.saturating_duration_since(Instant::now());
            match self.result.recv_timeout(time) {
                Ok(scored) => self.comes(scored),
                Err(mpsc::RecvTimeoutError::Timeout) => {}
                Err(mpsc::RecvTimeoutError::Disconnected) => self.comes(Err(self.lost())),
            }
        }
        self.came.is_some()
    }

    fn comes(&mut self, scored: Result<B, StreamError>) {
        self.bytes += scored.as_ref().map_or(0, Batch::bytes);
        self.came = Some(scored);
    }

    /// Returns what came of a batch that is done.
    pub(super) fn take(mut self) -> Result<B, StreamError> {
        let came = self.came.take();
        came.unwrap_or_else(|| Err(self.lost()))
    }

    /// Returns how long ago it began.
    pub(super) fn age(&self) -> Duration {
        self.began.elapsed()
    }

    /// Tells whether messages of a partition are in it.
    pub(super) fn holds(&self, partition: &Partition) -> bool {
        self.next.contains_key(partition)
    }

    fn lost(&self) -> StreamError {
        let (partition, offset) = self.first.clone();
        StreamError::Lost { partition, offset }
    }
}

impl<B> Drop for Flight<B> {
    fn drop(&mut self) {
        // Nobody waits for it.
        self.task.abort();
    }
}
