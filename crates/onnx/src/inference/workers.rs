//! Worker threads, each with a session of its own, and what callers wait for.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Debug;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lexstream_columns::model::Watch;

use super::InferenceError;
use super::job::{Job, computed};
use super::queue::{Queue, Waiting};

/// What a caller has of a run that is done.
#[derive(Debug)]
pub(super) struct Done<T> {
    /// Its items in the run: where each stands among those it handed over, and what became of it.
    pub(super) outputs: Vec<(usize, T)>,
    /// How many runs that is: none where the run counts for another caller in it.
    pub(super) runs: usize,
    /// Its share of the time that the run took, by its number of items.
    pub(super) time: Duration,
}

type Reply<T> = Result<Done<T>, InferenceError>;

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
    queue: J::Queue,
    /// Who waits for answers.
    callers: HashMap<u64, Sender<Reply<J::Output>>>,
    next_caller: u64,
    workers: usize,
    /// How many of them have nothing to do.
    idle: usize,
    closed: bool,
}

impl<J: Job> Workers<J> {
    /// Describes the workers; the first of them starts with the first item.
    pub(super) fn new(job: J, queue: J::Queue, most: usize) -> Self {
        Self {
            shared: Arc::new(Shared {
                job,
                state: Mutex::new(State {
                    queue,
                    callers: HashMap::new(),
                    next_caller: 0,
                    workers: 0,
                    idle: 0,
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

    /// Hands over items; they are done in any order, together with those of other callers where the queue says so.
    pub(super) fn submit(&self, items: Vec<J::Item>) -> Result<Pending<'_, J>, InferenceError> {
        let (reply, done) = mpsc::channel();
        let left = items.len();
        let mut state = self.shared.lock();
        let caller = state.next_caller;
        state.next_caller += 1;
        // Whatever goes wrong from here on, it is taken back.
        let pending = Pending {
            shared: &self.shared,
            caller,
            done,
            left,
        };
        state.callers.insert(caller, reply);
        state.queue.add(caller, items);
        let started = self.start(&mut state);
        drop(state);
        self.shared.changed.notify_all();
        started?;
        Ok(pending)
    }

    /// Starts a worker for each run that waits and finds none idle, as many as there may be.
    fn start(&self, state: &mut State<J>) -> Result<(), InferenceError> {
        let busy = state.workers - state.idle;
        let wanted = busy + state.queue.runs(self.most - busy);
        while state.workers < wanted {
            let shared = Arc::clone(&self.shared);
            let worker = std::thread::Builder::new().name("inference".to_owned());
            worker
                .spawn(move || work(&shared))
                .map_err(InferenceError::Thread)?;
            state.workers += 1;
        }
        Ok(())
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

    /// Waits for items to run together; none where the model is gone.
    fn next(&self) -> Option<Vec<Waiting<J::Item>>> {
        let mut state = self.lock();
        loop {
            if state.closed {
                return None;
            }
            let run = state.queue.take();
            if !run.is_empty() {
                return Some(run);
            }
            state.idle += 1;
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
            state.idle -= 1;
        }
    }

    /// Gives each caller what became of its items.
    fn answer(&self, run: &[Waiting<J::Item>], outputs: Vec<J::Output>, time: Duration) {
        let share = time / u32::try_from(run.len()).unwrap_or(u32::MAX);
        let first = run.first().map(|item| item.caller);
        let mut done: BTreeMap<u64, Done<J::Output>> = BTreeMap::new();
        for (item, output) in run.iter().zip(outputs) {
            let done = done.entry(item.caller).or_insert_with(|| Done {
                outputs: Vec::new(),
                runs: usize::from(first == Some(item.caller)),
                time: Duration::ZERO,
            });
            done.outputs.push((item.place, output));
            done.time += share;
        }
        let state = self.lock();
        for (caller, done) in done {
            if let Some(reply) = state.callers.get(&caller) {
                // A caller that has gone needs no answer.
                let _ = reply.send(Ok(done));
            }
        }
    }

    /// Fails a caller; nothing more of it is run.
    fn fail(&self, caller: u64, error: InferenceError) {
        let mut state = self.lock();
        state.queue.take_back(caller);
        if let Some(reply) = state.callers.remove(&caller) {
            let _ = reply.send(Err(error));
        }
    }
}

/// Items that are handed over; what has not begun is taken back when it is dropped.
#[derive(Debug)]
pub(super) struct Pending<'a, J: Job> {
    shared: &'a Shared<J>,
    caller: u64,
    done: Receiver<Reply<J::Output>>,
    /// How many items are not done.
    left: usize,
}

impl<J: Job> Iterator for Pending<'_, J> {
    type Item = Reply<J::Output>;

    /// Waits for the next run with items of this caller; none after the last, or after an error.
    fn next(&mut self) -> Option<Self::Item> {
        if self.left == 0 {
            return None;
        }
        let reply = loop {
            if is_cancelled() {
                break Err(InferenceError::Cancelled);
            }
            match self.done.recv_timeout(GLANCE) {
                Ok(reply) => break reply,
                // A worker answers whatever becomes of a run.
                Err(RecvTimeoutError::Disconnected) => {
                    break Err(InferenceError::Panicked("it is gone".to_owned()));
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
        };
        self.left = match &reply {
            Ok(done) => self.left.saturating_sub(done.outputs.len()),
            Err(_) => 0,
        };
        Some(reply)
    }
}

/// How often a caller that waits looks whether its query is still there.
const GLANCE: Duration = Duration::from_millis(50);

fn is_cancelled() -> bool {
    Watch::current().is_some_and(|watch| watch.is_cancelled())
}

impl<J: Job> Drop for Pending<'_, J> {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.callers.remove(&self.caller);
        state.queue.take_back(self.caller);
    }
}

fn work<J: Job>(shared: &Shared<J>) {
    let mut session = None;
    while let Some(run) = shared.next() {
        run_all(shared, &mut session, run);
    }
}

/// Runs items, and answers their callers.
///
/// Where items of several callers fail together, each caller's are run apart: one that would have been well alone is.
fn run_all<J: Job>(
    shared: &Shared<J>,
    session: &mut Option<J::Session>,
    run: Vec<Waiting<J::Item>>,
) {
    let error = match computed(&shared.job, session, &run) {
        Ok((outputs, time)) => return shared.answer(&run, outputs, time),
        Err(error) => error,
    };
    let mut apart: BTreeMap<u64, Vec<_>> = BTreeMap::new();
    for item in run {
        apart.entry(item.caller).or_default().push(item);
    }
    if apart.len() > 1 {
        for (caller, run) in apart {
            if shared.lock().callers.contains_key(&caller) {
                run_all(shared, session, run);
            }
        }
    } else if let Some((caller, _)) = apart.pop_first() {
        shared.fail(caller, error);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::super::queue::Turns;
    use super::*;

    /// Panics, fails, waits or doubles; counts the sessions that were opened.
    #[derive(Debug)]
    struct Numbers<Q> {
        queue: std::marker::PhantomData<fn() -> Q>,
        opened: AtomicUsize,
        runs: Mutex<Vec<Vec<i32>>>,
        /// Lets an item [`WAIT`] go on.
        go: Mutex<Receiver<()>>,
    }

    const PANIC: i32 = -1;
    const FAIL: i32 = -2;
    const WAIT: i32 = -3;

    /// Returns one worker, and what lets an item [`WAIT`] go on.
    fn numbers<Q: Queue<i32>>(queue: Q) -> (Workers<Numbers<Q>>, Sender<()>) {
        let (send, go) = mpsc::channel();
        let job = Numbers {
            queue: std::marker::PhantomData,
            opened: AtomicUsize::new(0),
            runs: Mutex::default(),
            go: Mutex::new(go),
        };
        (Workers::new(job, queue, 1), send)
    }

    impl<Q: Queue<i32>> Job for Numbers<Q> {
        type Session = ();
        type Item = i32;
        type Output = i32;
        type Queue = Q;

        fn open(&self) -> Result<(), InferenceError> {
            self.opened.fetch_add(1, Ordering::Relaxed);
            Ok(())
        }

        fn compute(&self, (): &mut (), items: &[&i32]) -> Result<Vec<i32>, InferenceError> {
            let items: Vec<_> = items.iter().map(|item| **item).collect();
            let mut runs = self.runs.lock().expect("no panic under it");
            runs.push(items.clone());
            drop(runs);
            if items.contains(&WAIT) {
                let go = self.go.lock().expect("no panic under it");
                go.recv().expect("a test that says so");
            }
            if items.contains(&PANIC) {
                panic!("a run of {items:?}");
            }
            if items.contains(&FAIL) {
                return Err(InferenceError::NoVector);
            }
            Ok(items.iter().map(|item| item * 2).collect())
        }
    }

    /// Runs whatever waits together.
    #[derive(Debug, Default)]
    struct Together(Vec<Waiting<i32>>);

    impl Queue<i32> for Together {
        fn add(&mut self, caller: u64, items: Vec<i32>) {
            let items = items.into_iter().enumerate();
            self.0.extend(items.map(|(place, item)| Waiting {
                caller,
                place,
                item,
            }));
        }

        fn take_back(&mut self, caller: u64) {
            self.0.retain(|item| item.caller != caller);
        }

        fn take(&mut self) -> Vec<Waiting<i32>> {
            std::mem::take(&mut self.0)
        }

        fn runs(&self, enough: usize) -> usize {
            enough.min(usize::from(!self.0.is_empty()))
        }
    }

    fn submit<'a, Q: Queue<i32>>(
        workers: &'a Workers<Numbers<Q>>,
        items: &[i32],
    ) -> Pending<'a, Numbers<Q>> {
        workers.submit(items.to_vec()).expect("a thread")
    }

    /// Returns the outputs in the order of the items, and how many runs they count for.
    fn outputs<Q: Queue<i32>>(
        pending: Pending<'_, Numbers<Q>>,
    ) -> Result<(Vec<i32>, usize), String> {
        let (mut outputs, mut runs) = (Vec::new(), 0);
        for done in pending {
            let done = done.map_err(|error| error.to_string())?;
            outputs.extend(done.outputs);
            runs += done.runs;
        }
        outputs.sort_unstable();
        Ok((
            outputs.into_iter().map(|(_, output)| output).collect(),
            runs,
        ))
    }

    fn runs<Q: Queue<i32>>(workers: &Workers<Numbers<Q>>) -> Vec<Vec<i32>> {
        workers
            .job()
            .runs
            .lock()
            .expect("no panic under it")
            .clone()
    }

    const PANICKED: &str = "a worker of the model failed: a run of [-1]";

    #[test]
    fn a_worker_that_panics_fails_its_caller_and_goes_on_with_a_new_session() {
        let (workers, _) = numbers(Turns::new());
        for (items, expected) in [
            (&[1][..], Ok((vec![2], 1))),
            (&[PANIC, 1], Err(PANICKED.to_owned())),
            (&[FAIL, 1], Err(InferenceError::NoVector.to_string())),
            (&[2, 3], Ok((vec![4, 6], 2))),
        ] {
            assert_eq!(outputs(submit(&workers, items)), expected);
        }
        assert_eq!(workers.job().opened.load(Ordering::Relaxed), 2);
    }

    #[test]
    fn callers_that_share_a_run_get_what_is_theirs() {
        let (workers, go) = numbers(Together::default());
        let waits = submit(&workers, &[WAIT]);
        while runs(&workers).is_empty() {
            std::thread::yield_now();
        }
        let (first, second) = (submit(&workers, &[1, 2]), submit(&workers, &[3, 4, 5]));
        go.send(()).expect("a worker waits");
        assert_eq!(outputs(waits), Ok((vec![2 * WAIT], 1)));
        assert_eq!(outputs(second), Ok((vec![6, 8, 10], 0)));
        assert_eq!(outputs(first), Ok((vec![2, 4], 1)));
        assert_eq!(runs(&workers)[1..], [[1, 2, 3, 4, 5]]);
    }

    #[test]
    fn a_run_that_fails_fails_those_who_fail_alone() {
        let (workers, go) = numbers(Together::default());
        let waits = submit(&workers, &[WAIT]);
        while runs(&workers).is_empty() {
            std::thread::yield_now();
        }
        let well = submit(&workers, &[1]);
        let (panics, fails) = (submit(&workers, &[PANIC]), submit(&workers, &[2, FAIL]));
        let (gone, too) = (submit(&workers, &[7]), submit(&workers, &[8]));
        drop(gone);
        go.send(()).expect("a worker waits");
        assert_eq!(outputs(waits), Ok((vec![2 * WAIT], 1)));
        assert_eq!(outputs(well), Ok((vec![2], 1)));
        assert_eq!(outputs(panics), Err(PANICKED.to_owned()));
        assert_eq!(outputs(fails), Err(InferenceError::NoVector.to_string()));
        assert_eq!(outputs(too), Ok((vec![16], 1)));
        let expected: [&[i32]; 5] = [&[1, PANIC, 2, FAIL, 8], &[1], &[PANIC], &[2, FAIL], &[8]];
        assert_eq!(runs(&workers)[1..], expected);
    }

    #[test]
    fn what_nobody_waits_for_is_not_computed() {
        let (workers, go) = numbers(Turns::new());
        let waits = submit(&workers, &[WAIT]);
        drop(submit(&workers, &[1, 2, 3]));
        let watch = Watch::new();
        watch.cancel();
        let cancelled = watch.during(|| outputs(submit(&workers, &[4, 5, 6])));
        assert_eq!(cancelled, Err("cancelled".to_owned()));
        go.send(()).expect("a worker waits");
        assert_eq!(outputs(waits), Ok((vec![2 * WAIT], 1)));
        assert_eq!(outputs(submit(&workers, &[7])), Ok((vec![14], 1)));
        assert_eq!(runs(&workers), [[WAIT], [7]]);
    }
}
