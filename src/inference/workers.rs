//! Worker threads, each with a session of its own; callers take turns.

use std::collections::VecDeque;
use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use lexstream_udfs::model::Watch;

use super::InferenceError;

/// What workers do.
pub(super) trait Job: Debug + Send + Sync + 'static {
    /// What each worker has of its own.
    type Session;
    /// What is run together.
    type Run: Debug + Send + 'static;
    /// What a run gives.
    type Output: Debug + Send + 'static;

    fn open(&self) -> Result<Self::Session, InferenceError>;

    fn compute(
        &self,
        session: &mut Self::Session,
        run: &Self::Run,
    ) -> Result<Self::Output, InferenceError>;
}

/// A run that is done.
#[derive(Debug)]
pub(super) struct Done<J: Job> {
    pub(super) run: J::Run,
    pub(super) output: J::Output,
    /// How long the run took.
    pub(super) time: Duration,
}

/// The worker threads of one model; they end with it.
#[derive(Debug)]
pub(super) struct Workers<J: Job> {
    shared: Arc<Shared<J>>,
    /// How many there may be.
    most: usize,
}

#[derive(Debug)]
struct Shared<J: Job> {
    job: J,
    state: Mutex<State<J>>,
    changed: Condvar,
}

#[derive(Debug)]
struct State<J: Job> {
    /// Who waits, in turn: a worker takes one run of the first, who goes to the end.
    callers: VecDeque<Caller<J>>,
    next_caller: u64,
    workers: usize,
    closed: bool,
}

#[derive(Debug)]
struct Caller<J: Job> {
    number: u64,
    runs: VecDeque<J::Run>,
    reply: Sender<Result<Done<J>, InferenceError>>,
}

impl<J: Job> Workers<J> {
    /// Describes the workers; the first of them starts with the first run.
    pub(super) fn new(job: J, most: usize) -> Self {
        Self {
            shared: Arc::new(Shared {
                job,
                state: Mutex::new(State {
                    callers: VecDeque::new(),
                    next_caller: 0,
                    workers: 0,
                    closed: false,
                }),
                changed: Condvar::new(),
            }),
            most,
        }
    }

    pub(super) fn job(&self) -> &J {
        &self.shared.job
    }

    /// Hands over runs; they are done in any order.
    pub(super) fn submit(&self, runs: VecDeque<J::Run>) -> Result<Pending<J>, InferenceError> {
        let (reply, done) = mpsc::channel();
        let mut state = self.shared.lock();
        let number = state.next_caller;
        state.next_caller += 1;
        let left = runs.len();
        if left > 0 {
            state.callers.push_back(Caller {
                number,
                runs,
                reply,
            });
        }
        let waiting: usize = state.callers.iter().map(|caller| caller.runs.len()).sum();
        while state.workers < self.most.min(waiting) {
            let shared = Arc::clone(&self.shared);
            let worker = std::thread::Builder::new().name("inference".to_owned());
            worker
                .spawn(move || work(&shared))
                .map_err(InferenceError::Thread)?;
            state.workers += 1;
        }
        drop(state);
        self.shared.changed.notify_all();
        Ok(Pending {
            shared: Arc::clone(&self.shared),
            number,
            done,
            left,
        })
    }
}

impl<J: Job> Drop for Workers<J> {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.changed.notify_all();
    }
}

impl<J: Job> Shared<J> {
    fn lock(&self) -> MutexGuard<'_, State<J>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a run; none where the model is gone.
    fn next(&self) -> Option<Turn<J>> {
        let mut state = self.lock();
        loop {
            if state.closed {
                return None;
            }
            if let Some(mut caller) = state.callers.pop_front() {
                let run = caller.runs.pop_front();
                let reply = caller.reply.clone();
                if !caller.runs.is_empty() {
                    state.callers.push_back(caller);
                }
                if let Some(run) = run {
                    return Some((run, reply));
                }
                continue;
            }
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// A run, and who waits for it.
type Turn<J> = (<J as Job>::Run, Sender<Result<Done<J>, InferenceError>>);

/// Runs that are handed over; what has not begun is taken back when it is dropped.
#[derive(Debug)]
pub(super) struct Pending<J: Job> {
    shared: Arc<Shared<J>>,
    number: u64,
    done: Receiver<Result<Done<J>, InferenceError>>,
    left: usize,
}

impl<J: Job> Iterator for Pending<J> {
    type Item = Result<Done<J>, InferenceError>;

    /// Waits for the next run that is done; none after the last.
    fn next(&mut self) -> Option<Self::Item> {
        if self.left == 0 {
            return None;
        }
        self.left -= 1;
        loop {
            if is_cancelled() {
                return Some(Err(InferenceError::Cancelled));
            }
            match self.done.recv_timeout(GLANCE) {
                Ok(done) => return Some(done),
                // A worker sends whatever becomes of a run, and so only a model that is gone says nothing.
                Err(RecvTimeoutError::Disconnected) => {
                    let gone = InferenceError::Panicked("it is gone".to_owned());
                    return Some(Err(gone));
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }
}

/// How often a caller that waits looks whether its query is still there.
const GLANCE: Duration = Duration::from_millis(50);

fn is_cancelled() -> bool {
    Watch::current().is_some_and(|watch| watch.is_cancelled())
}

impl<J: Job> Drop for Pending<J> {
    fn drop(&mut self) {
        let number = self.number;
        self.shared
            .lock()
            .callers
            .retain(|caller| caller.number != number);
    }
}

fn work<J: Job>(shared: &Shared<J>) {
    let mut session = None;
    while let Some((run, reply)) = shared.next() {
        let started = Instant::now();
        let output = catch_unwind(AssertUnwindSafe(|| {
            compute(&shared.job, &mut session, &run)
        }));
        let output = output.unwrap_or_else(|panic| {
            // What the panic left of the session is not to be trusted.
            session = None;
            let message = panic.downcast_ref::<String>().map(String::as_str);
            let message = message.or_else(|| panic.downcast_ref::<&str>().copied());
            Err(InferenceError::Panicked(
                message.unwrap_or("a panic").to_owned(),
            ))
        });
        let time = started.elapsed();
        // A caller that has gone needs no answer.
        let _ = reply.send(output.map(|output| Done { run, output, time }));
    }
}

fn compute<J: Job>(
    job: &J,
    session: &mut Option<J::Session>,
    run: &J::Run,
) -> Result<J::Output, InferenceError> {
    let session = match session {
        Some(session) => session,
        None => session.insert(job.open()?),
    };
    job.compute(session, run)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// Panics, fails, or takes its time; counts the sessions that were opened.
    #[derive(Debug, Default)]
    struct Numbers {
        opened: AtomicUsize,
        done: Mutex<Vec<i32>>,
    }

    const PANIC: i32 = -1;
    const FAIL: i32 = -2;

    impl Job for Numbers {
        type Session = ();
        type Run = i32;
        type Output = i32;

        fn open(&self) -> Result<(), InferenceError> {
            self.opened.fetch_add(1, Ordering::Relaxed);
            Ok(())
        }

        fn compute(&self, (): &mut (), run: &i32) -> Result<i32, InferenceError> {
            std::thread::sleep(Duration::from_millis(2));
            self.done.lock().expect("no panic under it").push(*run);
            match *run {
                PANIC => panic!("a run of {run}"),
                FAIL => Err(InferenceError::NoVector),
                run => Ok(run * 2),
            }
        }
    }

    fn outputs(pending: Pending<Numbers>) -> Vec<Result<i32, String>> {
        let outputs = pending.map(|done| done.map(|done| done.output));
        outputs
            .map(|output| output.map_err(|error| error.to_string()))
            .collect()
    }

    #[test]
    fn a_worker_that_panics_fails_its_run_and_goes_on_with_a_new_session() {
        let workers = Workers::new(Numbers::default(), 1);
        let found = workers
            .submit([1, PANIC, FAIL, 2].into())
            .expect("a thread");
        assert_eq!(
            outputs(found),
            [
                Ok(2),
                Err("a worker of the model failed: a run of -1".to_owned()),
                Err(InferenceError::NoVector.to_string()),
                Ok(4)
            ]
        );
        assert_eq!(workers.job().opened.load(Ordering::Relaxed), 2);
    }

    #[test]
    fn callers_take_turns() {
        let workers = Workers::new(Numbers::default(), 1);
        let long = workers.submit((0..100).collect()).expect("a thread");
        let short = workers.submit((1000..1005).collect()).expect("a thread");
        assert_eq!(outputs(short).len(), 5);
        // While the short one was done, the long one had no more than its turns.
        let done = workers.job().done.lock().expect("no panic under it").len();
        assert!(done < 60, "{done}");
        assert_eq!(outputs(long).len(), 100);
    }

    #[test]
    fn what_nobody_waits_for_is_not_computed() {
        let workers = Workers::new(Numbers::default(), 1);
        drop(workers.submit((0..100).collect()).expect("a thread"));
        let watch = Watch::new();
        watch.cancel();
        let found = watch.during(|| outputs(workers.submit((0..50).collect()).expect("a thread")));
        assert!(found.contains(&Err("cancelled".to_owned())), "{found:?}");
        assert_eq!(
            outputs(workers.submit([7].into()).expect("a thread")),
            [Ok(14)]
        );
        let done = workers.job().done.lock().expect("no panic under it").len();
        assert!(done < 60, "{done}");
    }
}
