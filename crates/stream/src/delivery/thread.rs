//! A delivery on a thread of its own, so that the loop keeps polling while it blocks.

use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender, TryRecvError};
use std::time::{Duration, Instant};

use crate::StreamError;
use lexstream_kafka::Wake;

type Call<D> = Box<dyn FnOnce(&mut D) + Send>;

/// A delivery on a thread of its own, which runs calls in their order.
pub(crate) struct DeliveryThread<D> {
    calls: Sender<Call<D>>,
    /// Disconnects when the thread has ended.
    ended: Receiver<()>,
    wake: Wake,
}

/// The result of a call, once it has one.
#[derive(Debug)]
pub(crate) struct Ticket<T>(Receiver<T>);

impl<D: Send + 'static> DeliveryThread<D> {
    /// Starts the thread; `wake` is called whenever a ticket has got its result.
    ///
    /// # Errors
    /// Where the system starts no thread.
    pub(crate) fn start(mut delivery: D, wake: Wake) -> Result<Self, StreamError> {
        let (calls, to_run) = mpsc::channel::<Call<D>>();
        let (running, ended) = mpsc::channel();
        let thread = std::thread::Builder::new().name("stream-delivery".to_owned());
        let thread = thread.spawn(move || {
            let _running: Sender<()> = running;
            for call in to_run {
                call(&mut delivery);
            }
        });
        thread.map_err(StreamError::thread)?;
        Ok(Self { calls, ended, wake })
    }

    /// Runs a call after those before it.
    pub(crate) fn call<T: Send + 'static>(
        &self,
        call: impl FnOnce(&mut D) -> T + Send + 'static,
    ) -> Ticket<T> {
        let (result, ticket) = mpsc::channel();
        let wake = Wake::clone(&self.wake);
        let call: Call<D> = Box::new(move |delivery| {
            // The ticket may have been dropped.
            let _ = result.send(call(delivery));
            wake();
        });
        // After a panic of the thread the ticket is void, which its owner finds out.
        let _ = self.calls.send(call);
        Ticket(ticket)
    }

    /// Ends the thread after the calls that it has; what takes longer than `timeout` is left to end by itself.
    pub(crate) fn close(self, timeout: Duration) {
        drop(self.calls);
        // Either way, nobody waits any more.
        let _ = self.ended.recv_timeout(timeout);
    }
}

impl<T> Ticket<T> {
    /// Returns the result, if it is there.
    pub(crate) fn poll(&self) -> Option<T> {
        match self.0.try_recv() {
            Ok(result) => Some(result),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) => panicked(),
        }
    }

    /// Waits for the result until a deadline.
    pub(crate) fn wait_until(&self, deadline: Instant) -> Option<T> {
        let time = deadline.saturating_duration_since(Instant::now());
        match self.0.recv_timeout(time) {
            Ok(result) => Some(result),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => panicked(),
        }
    }

    /// Waits for the result.
    pub(crate) fn wait(self) -> T {
        self.0.recv().unwrap_or_else(|_| panicked())
    }
}

/// Passes a panic of the delivery's thread on, which has been printed there.
fn panicked() -> ! {
    std::panic::resume_unwind(Box::new("the delivery's thread has panicked"))
}
