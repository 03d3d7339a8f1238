//! A job under way: workers that take units until none is left.

use std::ops::AddAssign;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::sync::watch;

use super::job::Job;
use super::left::Left;
use super::tally::Tally;
use super::times::Times;
use super::unit_run::{Ended, UnitRun};
use super::{BatchError, footer};

/// How long a worker waits before it looks again at units that other processes hold.
const GLANCE: Duration = Duration::from_millis(50);

/// A job under way.
#[derive(Debug)]
pub struct Running {
    shared: Arc<Shared>,
    workers: Vec<JoinHandle<()>>,
}

/// What the workers of one process share.
#[derive(Debug)]
pub(super) struct Shared {
    /// Units that are not finished.
    left: Mutex<Left>,
    progress: Mutex<Progress>,
    /// Rows of the units under way that are done already, for the progress line, and the bytes that stand for them.
    pub(super) rows_under_way: AtomicU64,
    pub(super) bytes_under_way: AtomicU64,
    failure: Mutex<Option<BatchError>>,
    stop: watch::Sender<bool>,
    /// Workers that have not ended.
    working: watch::Sender<usize>,
    started: Instant,
}

/// How far a job is.
#[derive(Debug, Clone, Copy, Default)]
pub struct Progress {
    /// What became of the rows of all units that are finished, before and now.
    pub tally: Tally,
    /// Rows of the units that this process has finished.
    pub rows_now: u64,
    /// Rows of units that are not finished yet, and are done already.
    pub rows_under_way: u64,
    /// Where the time of this process's workers went, in units that are finished.
    pub times: Times,
    /// Units in all.
    pub units: usize,
    /// Units that were finished when this process began.
    pub units_before: usize,
    /// Units that this process has finished.
    pub units_now: usize,
    /// Units that other processes have finished meanwhile.
    pub units_by_others: usize,
    /// Bytes of the inputs.
    pub bytes: u64,
    /// Bytes of the inputs of units that are finished.
    pub bytes_finished: u64,
    /// Bytes of the inputs of units that this process has finished.
    pub bytes_finished_now: u64,
    /// Bytes of the inputs of units that this process has finished or has under way.
    pub bytes_now: u64,
}

impl Progress {
    /// Returns how many units are finished, whoever did it.
    pub fn finished(&self) -> usize {
        self.units_before + self.units_now + self.units_by_others
    }
}

impl AddAssign for Progress {
    fn add_assign(&mut self, other: Self) {
        self.tally += other.tally;
        self.rows_now += other.rows_now;
        self.rows_under_way += other.rows_under_way;
        self.times += other.times;
        self.units += other.units;
        self.units_before += other.units_before;
        self.units_now += other.units_now;
        self.units_by_others += other.units_by_others;
        self.bytes += other.bytes;
        self.bytes_finished += other.bytes_finished;
        self.bytes_finished_now += other.bytes_finished_now;
        self.bytes_now += other.bytes_now;
    }
}

impl Job {
    /// Takes the outputs' folders and starts the workers on threads of their own; what is async runs on `runtime`.
    ///
    /// What is finished stays so. `restart` deletes what an earlier job has made in the folders, and begins anew.
    pub fn start(self: Arc<Self>, restart: bool, runtime: &Handle) -> Result<Running, BatchError> {
        let taken = Arc::new(self.take(restart)?);
        let mut progress = Progress {
            units: self.units.len(),
            bytes: self.units.iter().map(|unit| unit.bytes).sum(),
            ..Progress::default()
        };
        let mut left = Vec::new();
        for (at, unit) in self.units.iter().enumerate() {
            if taken.finished.contains(&unit.name) {
                progress.tally += footer::tally(&self.outputs[0].part(&unit.name))?;
                progress.units_before += 1;
                progress.bytes_finished += unit.bytes;
            } else {
                left.push(at);
            }
        }
        let count = self.options.workers.max(1);
        let shared = Arc::new(Shared {
            left: Mutex::new(Left::new(left, count)),
            progress: Mutex::new(progress),
            rows_under_way: AtomicU64::new(0),
            bytes_under_way: AtomicU64::new(0),
            failure: Mutex::new(None),
            stop: watch::Sender::new(false),
            working: watch::Sender::new(count),
            started: Instant::now(),
        });
        let mut workers = Vec::new();
        for number in 0..count {
            let (job, shared) = (Arc::clone(&self), Arc::clone(&shared));
            let (taken, runtime) = (Arc::clone(&taken), runtime.clone());
            let worker = std::thread::Builder::new().name(format!("batch {number}"));
            let worker = worker.spawn(move || {
                let _working = Working(Arc::clone(&shared));
                if let Err(error) = work(&job, number, &shared, &runtime) {
                    shared.fail(error);
                }
                drop(taken);
            });
            let folder = &self.outputs[0].folder;
            workers.push(worker.map_err(BatchError::io("start a worker for", folder))?);
        }
        Ok(Running { shared, workers })
    }
}

impl Running {
    /// Returns how far the job is, and for how long this process has been at it.
    pub fn progress(&self) -> (Progress, Duration) {
        let mut progress = *self.shared.progress();
        progress.rows_under_way = self.shared.rows_under_way.load(Ordering::Relaxed);
        progress.bytes_now =
            progress.bytes_finished_now + self.shared.bytes_under_way.load(Ordering::Relaxed);
        (progress, self.shared.started.elapsed())
    }

    /// Asks the workers to end without finishing what is under way.
    pub fn stop(&self) {
        self.shared.stop.send_replace(true);
    }

    /// Tells whether all workers have ended.
    pub fn has_ended(&self) -> bool {
        self.workers.iter().all(JoinHandle::is_finished)
    }

    /// Waits until all workers have ended.
    pub async fn ended(&self) {
        let mut working = self.shared.working.subscribe();
        // The sender lives as long as this.
        let _ = working.wait_for(|working| *working == 0).await;
    }

    /// Waits for the workers; returns how far the job is, or why it stopped.
    pub fn join(self) -> Result<(Progress, Duration), BatchError> {
        for worker in self.workers {
            if let Err(panic) = worker.join() {
                std::panic::resume_unwind(panic);
            }
        }
        let failure = self.shared.failure.lock();
        let failure = failure.unwrap_or_else(PoisonError::into_inner).take();
        match failure {
            Some(error) => Err(error),
            None => Ok((*self.shared.progress(), self.shared.started.elapsed())),
        }
    }
}

impl Shared {
    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn left(&self) -> MutexGuard<'_, Left> {
        self.left.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells whether the workers are to end.
    pub(super) fn is_stopped(&self) -> bool {
        *self.stop.borrow()
    }

    /// Waits until the workers are to end.
    pub(super) async fn stopped(&self) {
        let mut stop = self.stop.subscribe();
        // The sender lives as long as this.
        let _ = stop.wait_for(|stop| *stop).await;
    }

    /// Keeps the first failure, and ends the other workers.
    fn fail(&self, error: BatchError) {
        let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        failure.get_or_insert(error);
        self.stop.send_replace(true);
    }

    /// Counts a unit that is finished: by us, in some time, or by another process.
    fn add(&self, bytes: u64, tally: Tally, ours: Option<Times>) {
        let mut progress = self.progress();
        progress.tally += tally;
        progress.bytes_finished += bytes;
        match ours {
            Some(times) => {
                progress.times += times;
                progress.units_now += 1;
                progress.rows_now += tally.rows;
                progress.bytes_finished_now += bytes;
            }
            None => progress.units_by_others += 1,
        }
    }
}

/// A worker, until it ends, if by a panic.
struct Working(Arc<Shared>);

impl Drop for Working {
    fn drop(&mut self) {
        self.0.working.send_modify(|working| *working -= 1);
    }
}

/// Takes units until none is left; those that another process holds are looked at again until they are finished, or
/// until their owner is dead.
fn work(job: &Job, worker: usize, shared: &Shared, runtime: &Handle) -> Result<(), BatchError> {
    let mut held_in_a_row = 0;
    let mut reader = None;
    while !shared.is_stopped() {
        let Some(at) = shared.left().take(worker, &job.units) else {
            return Ok(());
        };
        let unit = &job.units[at];
        let by_others = || {
            let tally = footer::tally(&job.outputs[0].part(&unit.name))?;
            shared.add(unit.bytes, tally, None);
            Ok::<_, BatchError>(())
        };
        if job.is_finished(unit) {
            by_others()?;
            continue;
        }
        let Some(run) = UnitRun::claim(job, unit)? else {
            held_in_a_row += 1;
            // The next one may be free: who waits at each that is held comes behind for ever.
            if held_in_a_row >= shared.left().put_back(worker, at) {
                std::thread::sleep(GLANCE);
                held_in_a_row = 0;
            }
            continue;
        };
        held_in_a_row = 0;
        // Its owner may have finished it between the two looks.
        if job.is_finished(unit) {
            drop(run);
            by_others()?;
            continue;
        }
        match run.run(&mut reader, shared, runtime)? {
            Ended::Finished(tally, times) => shared.add(unit.bytes, tally, Some(times)),
            Ended::Stopped => {}
        }
    }
    Ok(())
}
