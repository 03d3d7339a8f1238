//! The threads of a command: those that queries run on, and the one that waits for signals.

use tokio::runtime::{Builder, Handle, Runtime};

use super::failure::Failure;
use super::signal::signal;

/// Planning deeply nested SQL takes stack, the more so in a debug build.
const STACK_BYTES: usize = 16 << 20;

/// The threads of a command.
pub(super) struct Threads {
    /// None only while it is being dropped.
    queries: Option<Runtime>,
    waiting: Runtime,
}

impl Threads {
    pub(super) fn new() -> Result<Self, Failure> {
        let queries = Builder::new_multi_thread()
            .enable_all()
            .thread_name("query")
            .thread_stack_size(STACK_BYTES)
            .build()?;
        Ok(Self {
            queries: Some(queries),
            waiting: Builder::new_current_thread().enable_all().build()?,
        })
    }

    /// Returns where queries run.
    pub(super) fn queries(&self) -> &Handle {
        let queries = self.queries.as_ref();
        queries.expect("only `drop` takes it").handle()
    }

    /// Returns where this thread waits, for signals among others.
    pub(super) fn waiting(&self) -> &Runtime {
        &self.waiting
    }

    /// Runs something where queries run, on a stack of their size, and stops waiting at a signal.
    pub(super) fn unless_signal<T: Send>(
        &self,
        work: impl Future<Output = T> + Send,
    ) -> Result<T, Failure> {
        std::thread::scope(|scope| {
            let queries = self.queries();
            let (done, ended) = tokio::sync::oneshot::channel();
            scope.spawn(move || {
                // Nobody waits for it after a signal.
                let _ = done.send(queries.block_on(work));
            });
            self.waiting.block_on(async {
                tokio::select! {
                    outcome = ended => Ok(outcome.expect("the sender is not dropped unless it panics")),
                    signal = signal() => Err(signal),
                }
            })
        })
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        // What was cancelled may be in the middle of a long computation; nobody waits for it.
        if let Some(queries) = self.queries.take() {
            queries.shutdown_background();
        }
    }
}
