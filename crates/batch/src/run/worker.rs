//! A worker: takes units from the queue, and runs those that no other process has.

use std::time::Duration;

use tokio::runtime::Handle;

use super::shared::Shared;
use super::unit_footer;
use super::unit_run::UnitRun;
use super::worker_context::WorkerContext;
use crate::error::BatchError;
use crate::job::Job;

/// Back-off of a worker that finds only units which other processes hold.
const BACK_OFF: Duration = Duration::from_millis(50);

/// Takes units until none is left; those that another process holds are looked at again until they are finished, or
/// until their owner is dead.
///
/// # Errors
/// Whatever stops the job.
pub(super) fn run(
    job: &Job,
    number: usize,
    shared: &Shared,
    runtime: &Handle,
) -> Result<(), BatchError> {
    let context = WorkerContext {
        job,
        memory: &shared.memory,
        stop: &shared.stop,
        in_flight: &shared.in_flight,
        runtime,
    };
    let mut reader = job.reader(runtime);
    let mut held_in_a_row = 0;
    while !shared.stop.is_raised() {
        let Some(at) = shared.queue().take(number, &job.units) else {
            return Ok(());
        };
        let unit = &job.units[at];
        let count_finished = || {
            let counts = unit_footer::counts(&job.outputs[0].part(&unit.name))?;
            shared.progress().count(unit.bytes, counts, None);
            Ok::<_, BatchError>(())
        };
        if job.is_finished(unit) {
            count_finished()?;
            continue;
        }
        let Some(run) = UnitRun::claim(job, unit)? else {
            held_in_a_row += 1;
            // The next one may be free: who waits at each that is held comes behind for ever.
            if held_in_a_row >= shared.queue().put_back(number, at) {
                std::thread::sleep(BACK_OFF);
                held_in_a_row = 0;
            }
            continue;
        };
        held_in_a_row = 0;
        // Its owner may have finished it between the two looks.
        if job.is_finished(unit) {
            drop(run);
            count_finished()?;
            continue;
        }
        if let Some((counts, times)) = run.run(&mut reader, context)? {
            shared.progress().count(unit.bytes, counts, Some(times));
        }
    }
    Ok(())
}
