//! A job under way: workers on threads of their own, which take units from a queue until none is left.

mod batch_sizer;
mod failed_rows_file;
mod in_flight;
mod memory_budget;
mod progress;
mod row_loop;
mod shared;
mod stop_signal;
mod unit_footer;
mod unit_run;
mod work_queue;
mod worker;
mod worker_context;

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::runtime::Handle;

use crate::error::BatchError;
use crate::job::Job;
pub use progress::Progress;
use shared::{Shared, Working};

/// A job under way.
#[derive(Debug)]
pub struct Running {
    shared: Arc<Shared>,
    workers: Vec<JoinHandle<()>>,
}

impl Job {
    /// Takes the outputs' folders and starts the workers on threads of their own; what is async runs on `runtime`.
    ///
    /// What is finished stays so. `restart` deletes what an earlier job has made in the folders, and begins anew.
    ///
    /// # Errors
    /// A folder holds another job, files of somebody else, or can't be written; with `restart`, another process works on
    /// the job.
    pub fn start(self: Arc<Self>, restart: bool, runtime: &Handle) -> Result<Running, BatchError> {
        let lease = Arc::new(self.lease(restart)?);
        let mut progress = Progress {
            units: self.units.len(),
            bytes: self.units.iter().map(|unit| unit.bytes).sum(),
            ..Progress::default()
        };
        let mut unfinished = Vec::new();
        for (at, unit) in self.units.iter().enumerate() {
            if lease.finished.contains(&unit.name) {
                progress.counts += unit_footer::counts(&self.outputs[0].part(&unit.name))?;
                progress.units_before += 1;
                progress.bytes_finished += unit.bytes;
            } else {
                unfinished.push(at);
            }
        }
        let shared = Arc::new(Shared::new(&self.options, unfinished, progress));
        let mut workers = Vec::new();
        for number in 0..self.options.workers.max(1) {
            let (job, shared) = (Arc::clone(&self), Arc::clone(&shared));
            let (lease, runtime) = (Arc::clone(&lease), runtime.clone());
            let thread = std::thread::Builder::new().name(format!("batch {number}"));
            let thread = thread.spawn(move || {
                let _working = Working::new(&shared);
                if let Err(error) = worker::run(&job, number, &shared, &runtime) {
                    shared.fail(error);
                }
                drop(lease);
            });
            let folder = &self.outputs[0].folder;
            workers.push(thread.map_err(BatchError::io("start a worker for", folder))?);
        }
        Ok(Running { shared, workers })
    }
}

impl Running {
    /// Returns how far the job is, and for how long this process has been at it.
    pub fn progress(&self) -> (Progress, Duration) {
        let mut progress = *self.shared.progress();
        let (rows, bytes) = self.shared.in_flight.load();
        progress.rows_under_way = rows;
        progress.bytes_now = progress.bytes_finished_now + bytes;
        (progress, self.shared.started.elapsed())
    }

    /// Asks the workers to end without finishing what is under way.
    pub fn stop(&self) {
        self.shared.stop.raise();
    }

    /// Tells whether all workers have ended.
    pub fn has_ended(&self) -> bool {
        self.workers.iter().all(JoinHandle::is_finished)
    }

    /// Waits until all workers have ended.
    pub async fn ended(&self) {
        self.shared.no_worker().await;
    }

    /// Waits for the workers; returns how far the job is.
    ///
    /// # Errors
    /// Why the first worker failed.
    pub fn join(self) -> Result<(Progress, Duration), BatchError> {
        for worker in self.workers {
            if let Err(panic) = worker.join() {
                std::panic::resume_unwind(panic);
            }
        }
        match self.shared.take_failure() {
            Some(error) => Err(error),
            None => Ok((*self.shared.progress(), self.shared.started.elapsed())),
        }
    }
}
