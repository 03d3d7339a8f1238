//! What is under way, for whoever shows progress: downloads, and models in training.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Something that takes long.
#[derive(Debug, Clone, PartialEq)]
pub enum Activity {
    /// A file on its way.
    Download(Download),
    /// A model in training.
    Training(Training),
}

/// A file on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Download {
    /// Its name in the repository.
    pub file: String,
    /// Bytes that are there.
    pub done: u64,
    /// Bytes in all.
    pub total: u64,
}

/// A model in training.
#[derive(Debug, Clone, PartialEq)]
pub struct Training {
    /// Its name.
    pub model: String,
    /// The pass over the rows; none while they come from the query.
    pub pass: Option<Pass>,
    /// Rows of this pass so far.
    pub rows: u64,
    /// The loss of the newest step, where the kind has one.
    pub loss: Option<f64>,
}

/// One of several passes over the same rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pass {
    /// Which one, from 1.
    pub number: u32,
    /// How many there will be.
    pub of: u32,
    /// Rows of each.
    pub rows: u64,
    /// When the first of them began.
    pub started: Instant,
}

impl Training {
    /// Returns how long the passes that are left take if they go on as those before, `elapsed` after the first began;
    /// none before a first row.
    pub fn left(&self, elapsed: Duration) -> Option<Duration> {
        let pass = self.pass.as_ref()?;
        let done = u64::from(pass.number - 1) * pass.rows + self.rows.min(pass.rows);
        let all = u64::from(pass.of) * pass.rows;
        (done > 0).then(|| elapsed.mul_f64((all.saturating_sub(done)) as f64 / done as f64))
    }
}

/// All that is under way at the moment in one catalog of models.
#[derive(Debug, Default)]
pub struct Activities(Mutex<Slots>);

#[derive(Debug, Default)]
struct Slots {
    next: u64,
    /// By the number of who reports it.
    under_way: BTreeMap<u64, Activity>,
}

impl Activities {
    /// Returns what is under way, the longest first.
    pub fn now(&self) -> Vec<Activity> {
        self.lock().under_way.values().cloned().collect()
    }

    /// Returns what a model in the making reports through.
    pub fn begin(self: &Arc<Self>, model: &str) -> Progress {
        let mut slots = self.lock();
        slots.next += 1;
        Progress {
            activities: Arc::clone(self),
            number: slots.next,
            model: model.to_owned(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Slots> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reports how far a model in the making is; what it reported last goes when it is dropped.
///
/// Any thread may report; it costs a lock, so once a batch and not once a row.
#[derive(Debug)]
pub struct Progress {
    activities: Arc<Activities>,
    number: u64,
    model: String,
}

impl Progress {
    /// Reports a file on its way.
    pub fn download(&self, file: &str, done: u64, total: u64) {
        self.set(Activity::Download(Download {
            file: file.to_owned(),
            done,
            total,
        }));
    }

    /// Reports that a pass over rows begins, `number` from 1 of `of`, each of so many rows.
    pub fn pass(&self, number: u32, of: u32, rows: u64) {
        self.train(|training| {
            let started = match &training.pass {
                Some(before) if number > 1 => before.started,
                _ => Instant::now(),
            };
            training.rows = 0;
            training.pass = Some(Pass {
                number,
                of,
                rows,
                started,
            });
        });
    }

    /// Reports that so many more rows are done; before the first [`Progress::pass`], that they came from the query.
    pub fn rows(&self, more: usize) {
        self.train(|training| training.rows += more as u64);
    }

    /// Reports the loss of the newest step.
    pub fn loss(&self, loss: f64) {
        self.train(|training| training.loss = Some(loss));
    }

    /// Reports that nothing is under way at the moment.
    pub fn clear(&self) {
        self.activities.lock().under_way.remove(&self.number);
    }

    fn set(&self, activity: Activity) {
        let mut slots = self.activities.lock();
        slots.under_way.insert(self.number, activity);
    }

    fn train(&self, change: impl FnOnce(&mut Training)) {
        let mut slots = self.activities.lock();
        let new = || {
            Activity::Training(Training {
                model: self.model.clone(),
                pass: None,
                rows: 0,
                loss: None,
            })
        };
        let activity = slots.under_way.entry(self.number).or_insert_with(new);
        if matches!(activity, Activity::Download(_)) {
            *activity = new();
        }
        if let Activity::Training(training) = activity {
            change(training);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn training(activities: &Activities) -> Training {
        match &activities.now()[..] {
            [Activity::Training(training)] => training.clone(),
            other => panic!("expected one model in training, found {other:?}"),
        }
    }

    #[test]
    fn rows_are_counted_a_pass() {
        let activities = Arc::<Activities>::default();
        let progress = activities.begin("m");
        assert_eq!(activities.now(), []);
        progress.rows(3);
        progress.rows(4);
        let read = training(&activities);
        assert_eq!((read.model.as_str(), read.rows, read.pass), ("m", 7, None));
        progress.pass(1, 2, 7);
        progress.rows(5);
        progress.loss(0.5);
        let first = training(&activities);
        progress.pass(2, 2, 7);
        let second = training(&activities);
        assert_eq!((first.rows, second.rows, second.loss), (5, 0, Some(0.5)));
        let started = |training: Training| training.pass.map(|pass| pass.started);
        assert_eq!(started(first), started(second));
        drop(progress);
        assert_eq!(activities.now(), []);
    }

    #[test]
    fn each_model_in_the_making_has_its_own_place() {
        let activities = Arc::<Activities>::default();
        let (first, second) = (activities.begin("a"), activities.begin("b"));
        first.download("model.onnx", 1, 2);
        second.rows(1);
        assert_eq!(activities.now().len(), 2);
        first.clear();
        assert_eq!(training(&activities).model, "b");
    }

    #[test]
    fn the_time_left_follows_from_the_rows_that_are_done() {
        let progress = Training {
            model: "m".to_owned(),
            pass: Some(Pass {
                number: 2,
                of: 4,
                rows: 100,
                started: Instant::now(),
            }),
            rows: 0,
            loss: None,
        };
        // A quarter is done, so that three times as long is left.
        let elapsed = Duration::from_secs(10);
        assert_eq!(progress.left(elapsed), Some(Duration::from_secs(30)));
        let first = Training {
            pass: None,
            ..progress
        };
        assert_eq!(first.left(elapsed), None);
    }
}
