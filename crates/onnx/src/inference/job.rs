//! What a worker does with items that run together.

use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use super::InferenceError;
use super::queue::{Queue, Waiting};

/// What workers do.
pub(super) trait Job: Debug + Send + Sync + 'static {
    /// What each worker has of its own.
    type Session;
    /// What a caller hands over, any number at once.
    type Item: Debug + Send + 'static;
    /// What becomes of an item.
    type Output: Debug + Send + 'static;
    /// Where items wait.
    type Queue: Queue<Self::Item>;

    fn open(&self) -> Result<Self::Session, InferenceError>;

    /// Sees what is run next; its time is no part of the run's.
    fn begin(&self, _: &[&Self::Item]) -> Result<(), InferenceError> {
        Ok(())
    }

    /// Computes items together: an output each, in their order.
    fn compute(
        &self,
        session: &mut Self::Session,
        items: &[&Self::Item],
    ) -> Result<Vec<Self::Output>, InferenceError>;
}

/// Computes items, with a session that is made where there is none; tells how long the run took. A panic is an error.
pub(super) fn computed<J: Job>(
    job: &J,
    session: &mut Option<J::Session>,
    run: &[Waiting<J::Item>],
) -> Result<(Vec<J::Output>, Duration), InferenceError> {
    let items: Vec<_> = run.iter().map(|waiting| &waiting.item).collect();
    let computed = catch_unwind(AssertUnwindSafe(|| {
        let session = match session {
            Some(session) => session,
            None => session.insert(job.open()?),
        };
        job.begin(&items)?;
        let started = Instant::now();
        Ok::<_, InferenceError>((job.compute(session, &items)?, started.elapsed()))
    }));
    if let Ok(Err(error)) = &computed
        && !error.may_be_of_a_row()
    {
        // Another session may have what this one has lost.
        *session = None;
    }
    computed.unwrap_or_else(|panic| {
        // What the panic left of the session is not to be trusted.
        *session = None;
        let message = panic.downcast_ref::<String>().map(String::as_str);
        let message = message.or_else(|| panic.downcast_ref::<&str>().copied());
        Err(InferenceError::Panicked(
            message.unwrap_or("a panic").to_owned(),
        ))
    })
}
