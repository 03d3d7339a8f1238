//! Worker threads, each with a session of its own; callers take turns.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use lexstream_udfs::model::Watch;

use ort::session::{Session, SessionInputValue};
use ort::value::Tensor;

use super::encoder::{EncodeError, Encoded};
use super::{Graph, Head, RuntimeError};

/// Why a model gives no result.
#[derive(Debug, thiserror::Error)]
#[expect(private_interfaces, reason = "callers show the message")]
pub enum InferenceError {
    /// ONNX Runtime is not there.
    #[error(transparent)]
    Runtime(#[from] RuntimeError),
    /// The graph can't be loaded.
    #[error("{}: ONNX Runtime can't load this graph", path.display())]
    Graph {
        /// The graph.
        path: PathBuf,
        /// What ONNX Runtime said.
        source: ort::Error,
    },
    /// The graph can't be run.
    #[error("ONNX Runtime failed")]
    Run(#[source] ort::Error),
    /// An output has another shape than its task needs.
    #[error("output `{output}` has the unexpected shape {found:?}")]
    Shape {
        /// The output.
        output: String,
        /// Its shape.
        found: Vec<i64>,
    },
    /// The graph has no such output.
    #[error("the graph has no output `{0}`")]
    Output(String),
    /// A result that is no result.
    #[error("the model gave a result that is all zero or no number")]
    NoVector,
    /// A text has no encoding.
    #[error(transparent)]
    Text(#[from] EncodeError),
    /// A worker panicked.
    #[error("a worker of the model failed: {0}")]
    Panicked(String),
    /// The query is gone.
    #[error("cancelled")]
    Cancelled,
    /// No thread could be started.
    #[error("no thread for the model could be started")]
    Thread(#[source] std::io::Error),
}

/// Texts that are run together.
#[derive(Debug)]
pub(super) struct Run {
    /// Where each text stands among the caller's.
    pub(super) places: Vec<usize>,
    /// The texts, none of them empty.
    pub(super) texts: Vec<Encoded>,
}

impl Run {
    /// Returns the tokens that the model is given, padding included.
    pub(super) fn padded_tokens(&self) -> usize {
        self.texts.len() * self.longest()
    }

    fn longest(&self) -> usize {
        self.texts
            .iter()
            .map(|text| text.ids.len())
            .max()
            .unwrap_or(0)
    }
}

/// A run that is done: rows of `width` numbers, in the order of its places.
#[derive(Debug)]
pub(super) struct Done {
    pub(super) places: Vec<usize>,
    pub(super) rows: Result<Vec<f32>, InferenceError>,
    /// How long the run took.
    pub(super) time: Duration,
}

/// What a worker needs to know of a model.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) graph: Graph,
    /// The graph's inputs, in its order; all of them known ones.
    pub(super) inputs: Vec<Input>,
    pub(super) head: Head,
    pub(super) width: usize,
    pub(super) padding_id: u32,
}

/// An input that every model of texts may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Input {
    Ids,
    Mask,
    Types,
    Positions,
}

impl Input {
    /// The names that exports give them.
    pub(super) const NAMES: [(&'static str, Self); 4] = [
        ("input_ids", Self::Ids),
        ("attention_mask", Self::Mask),
        ("token_type_ids", Self::Types),
        ("position_ids", Self::Positions),
    ];

    fn name(self) -> &'static str {
        let name = Self::NAMES.iter().find(|(_, input)| *input == self);
        name.expect("every input is in the list").0
    }
}

/// The worker threads of one model; they end with it.
#[derive(Debug)]
pub(super) struct Workers {
    shared: Arc<Shared>,
    /// How many there may be.
    most: usize,
}

#[derive(Debug)]
struct Shared {
    plan: Plan,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// Who waits, in turn: a worker takes one run of the first, who goes to the end.
    callers: VecDeque<Caller>,
    next_caller: u64,
    workers: usize,
    closed: bool,
}

#[derive(Debug)]
struct Caller {
    number: u64,
    runs: VecDeque<Run>,
    reply: Sender<Done>,
}

impl Workers {
    /// Describes the workers; the first of them starts with the first run.
    pub(super) fn new(plan: Plan, most: usize) -> Self {
        Self {
            shared: Arc::new(Shared {
                plan,
                state: Mutex::default(),
                changed: Condvar::new(),
            }),
            most,
        }
    }

    pub(super) fn plan(&self) -> &Plan {
        &self.shared.plan
    }

    /// Hands over runs; they are done in any order.
    pub(super) fn submit(&self, runs: VecDeque<Run>) -> Result<Pending, InferenceError> {
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

impl Drop for Workers {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.changed.notify_all();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a run; none where the model is gone.
    fn next(&self) -> Option<(Run, Sender<Done>)> {
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

/// Runs that are handed over; what has not begun is taken back when it is dropped.
#[derive(Debug)]
pub(super) struct Pending {
    shared: Arc<Shared>,
    number: u64,
    done: Receiver<Done>,
    left: usize,
}

impl Iterator for Pending {
    type Item = Done;

    /// Waits for the next run that is done; none after the last.
    fn next(&mut self) -> Option<Done> {
        if self.left == 0 {
            return None;
        }
        self.left -= 1;
        let failed = |error| Done {
            places: Vec::new(),
            rows: Err(error),
            time: Duration::ZERO,
        };
        loop {
            match self.done.recv_timeout(GLANCE) {
                Ok(done) => return Some(done),
                // A worker sends whatever becomes of a run, and so only a model that is gone says nothing.
                Err(RecvTimeoutError::Disconnected) => {
                    return Some(failed(InferenceError::Panicked("it is gone".to_owned())));
                }
                Err(RecvTimeoutError::Timeout) if is_cancelled() => {
                    return Some(failed(InferenceError::Cancelled));
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

impl Drop for Pending {
    fn drop(&mut self) {
        let number = self.number;
        self.shared
            .lock()
            .callers
            .retain(|caller| caller.number != number);
    }
}

fn work(shared: &Shared) {
    let mut session = None;
    while let Some((run, reply)) = shared.next() {
        let started = Instant::now();
        let rows = catch_unwind(AssertUnwindSafe(|| {
            compute(&shared.plan, &mut session, &run)
        }));
        let rows = rows.unwrap_or_else(|panic| {
            // What the panic left of the session is not to be trusted.
            session = None;
            let message = panic.downcast_ref::<String>().map(String::as_str);
            let message = message.or_else(|| panic.downcast_ref::<&str>().copied());
            Err(InferenceError::Panicked(
                message.unwrap_or("a panic").to_owned(),
            ))
        });
        // A caller that has gone needs no answer.
        let _ = reply.send(Done {
            places: run.places,
            rows,
            time: started.elapsed(),
        });
    }
}

fn compute(
    plan: &Plan,
    session: &mut Option<Session>,
    run: &Run,
) -> Result<Vec<f32>, InferenceError> {
    let session = match session {
        Some(session) => session,
        None => session.insert(plan.graph.session()?),
    };
    let longest = run.longest();
    let shape = [run.texts.len(), longest];
    let padded = |values: &dyn Fn(&Encoded, &mut Vec<i64>), padding: i64| {
        let mut data = Vec::with_capacity(shape[0] * longest);
        for text in &run.texts {
            let end = data.len() + longest;
            values(text, &mut data);
            data.resize(end, padding);
        }
        data
    };
    let mut inputs = Vec::with_capacity(plan.inputs.len());
    for input in &plan.inputs {
        let data = match input {
            Input::Ids => padded(
                &|text, data| data.extend(text.ids.iter().map(|id| i64::from(*id))),
                i64::from(plan.padding_id),
            ),
            Input::Mask => padded(&|text, data| data.extend(text.ids.iter().map(|_| 1)), 0),
            Input::Types => padded(
                &|text, data| data.extend(text.types.iter().map(|of| i64::from(*of))),
                0,
            ),
            Input::Positions => padded(&|text, data| data.extend(0..text.ids.len() as i64), 0),
        };
        let tensor = Tensor::from_array((shape, data)).map_err(InferenceError::Run)?;
        inputs.push((input.name(), SessionInputValue::from(tensor)));
    }
    let outputs = session.run(inputs).map_err(InferenceError::Run)?;
    let output = outputs
        .get(plan.head.output())
        .ok_or_else(|| InferenceError::Output(plan.head.output().to_owned()))?;
    let lengths: Vec<_> = run.texts.iter().map(|text| text.ids.len()).collect();
    plan.head.rows(output, &lengths, plan.width)
}
