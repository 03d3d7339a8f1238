//! Stop signal to the workers of a process.

use tokio::sync::watch;

/// A flag that workers look at and wait for; once raised, it stays so.
#[derive(Debug)]
pub(crate) struct StopSignal(watch::Sender<bool>);

impl StopSignal {
    pub(crate) fn new() -> Self {
        Self(watch::Sender::new(false))
    }

    /// Asks all workers to end without finishing what is under way.
    pub(crate) fn raise(&self) {
        self.0.send_replace(true);
    }

    /// Tells whether the workers are to end.
    pub(crate) fn is_raised(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until the workers are to end.
    pub(crate) async fn raised(&self) {
        let mut receiver = self.0.subscribe();
        // The sender lives as long as this.
        let _ = receiver.wait_for(|raised| *raised).await;
    }
}
