//! A model of columns: whatever a graph computes of a batch of rows.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use arrow::array::{ArrayRef, StructArray, UInt64Array, new_null_array};
use arrow::buffer::NullBuffer;
use arrow::compute::{concat, take};
use lexstream_columns::model::{Figures, Watch};
use ort::session::{Session, SessionInputValue};

use super::columns::InputColumn;
use super::job::Job;
use super::queue::Turns;
use super::workers::Workers;
use super::{Graph, InferenceError, Signature};

/// Values of one input in a run at most, so that wide rows run in smaller numbers.
const VALUES_A_RUN: usize = 1 << 23;

/// A graph over columns.
#[derive(Debug)]
pub struct GraphModel {
    workers: Workers<GraphJob>,
    max_batch_rows: usize,
    /// What all calls have cost.
    total: Mutex<Figures>,
}

#[derive(Debug)]
struct GraphJob {
    graph: Graph,
    signature: Signature,
}

/// Rows of the same shape that are run together.
#[derive(Debug)]
struct Run {
    /// How many there are.
    rows: usize,
    /// Each input's shape and values.
    inputs: Vec<(Vec<usize>, ArrayRef)>,
}

impl Job for GraphJob {
    type Session = Session;
    type Item = Run;
    /// An array an output, in the order of the run's rows.
    type Output = Vec<ArrayRef>;
    type Queue = Turns<Run>;

    fn open(&self) -> Result<Session, InferenceError> {
        self.graph.session()
    }

    fn compute(
        &self,
        session: &mut Session,
        runs: &[&Run],
    ) -> Result<Vec<Vec<ArrayRef>>, InferenceError> {
        runs.iter().map(|run| self.run(session, run)).collect()
    }
}

impl GraphJob {
    fn run(&self, session: &mut Session, run: &Run) -> Result<Vec<ArrayRef>, InferenceError> {
        let signature = &self.signature;
        let mut inputs: Vec<(&str, SessionInputValue<'_>)> = Vec::new();
        for (input, (shape, values)) in signature.inputs.iter().zip(&run.inputs) {
            let tensor = input.element.tensor(shape, values);
            inputs.push((&input.tensor.name, tensor.map_err(InferenceError::Run)?));
        }
        let found = session.run(inputs).map_err(InferenceError::Run)?;
        let mut outputs = Vec::with_capacity(signature.outputs.len());
        for output in &signature.outputs {
            let name = &output.tensor.name;
            let tensor = found
                .get(name)
                .ok_or_else(|| InferenceError::Output(name.clone()))?;
            let (shape, values) = output.element.array(tensor)?;
            let expected = output.shape(run.rows, 0);
            let fits = |(at, (found, expected)): (usize, (&i64, &usize))| {
                *found == *expected as i64 || at > 0 && output.axes[at - 1].is_none()
            };
            let axes = shape.iter().zip(&expected).enumerate();
            if shape.len() != expected.len() || !axes.into_iter().all(fits) {
                return Err(InferenceError::Shape {
                    output: name.clone(),
                    found: shape.to_vec(),
                });
            }
            outputs.push(output.rows(&shape, values)?);
        }
        Ok(outputs)
    }
}

impl GraphModel {
    /// Puts a model together; the first row loads the graph.
    pub fn new(graph: Graph, signature: Signature, max_batch_rows: usize, sessions: usize) -> Self {
        Self {
            workers: Workers::new(GraphJob { graph, signature }, Turns::new(), sessions),
            max_batch_rows,
            total: Mutex::default(),
        }
    }

    /// Computes each row of the graph's inputs, columns that are equally long; NULL in any of them gives NULL.
    ///
    /// It blocks until the last run is done.
    pub fn predict(&self, columns: &[ArrayRef]) -> Result<ArrayRef, InferenceError> {
        let signature = &self.workers.job().signature;
        let rows = columns.first().map_or(0, arrow::array::Array::len);
        let inputs = signature
            .inputs
            .iter()
            .zip(columns)
            .map(|(input, column)| InputColumn::try_new(column, &input.element.input_type()));
        let inputs = inputs.collect::<Result<Vec<_>, _>>()?;
        let nulls = inputs.iter().fold(None, |nulls, input| {
            NullBuffer::union(nulls.as_ref(), input.nulls())
        });
        let (mut run_rows, runs) = self.runs(&inputs, rows, nulls.as_ref())?;
        if runs.is_empty() {
            return Ok(new_null_array(&signature.data_type(), rows));
        }
        let started = Instant::now();
        let mut figures = Figures::default();
        let mut places = vec![None; rows];
        let mut done_rows = 0;
        let mut parts: Vec<Vec<ArrayRef>> = vec![Vec::new(); signature.outputs.len()];
        for done in self.workers.submit(runs)? {
            let done = done?;
            figures.runs += done.runs;
            figures.model_time += done.time;
            for (run, outputs) in done.outputs {
                for row in std::mem::take(&mut run_rows[run]) {
                    places[row] = Some(done_rows);
                    done_rows += 1;
                }
                for (parts, part) in parts.iter_mut().zip(outputs) {
                    parts.push(part);
                }
            }
        }
        figures.waiting_time = started.elapsed();
        *self.total.lock().unwrap_or_else(PoisonError::into_inner) += figures;
        if let Some(watch) = Watch::current() {
            watch.add(|total| *total += figures);
        }
        let places: UInt64Array = places
            .into_iter()
            .map(|place| place.map(|place| place as u64))
            .collect();
        let outputs = parts.into_iter().map(|parts| {
            let parts: Vec<_> = parts.iter().map(AsRef::as_ref).collect();
            take(&concat(&parts)?, &places, None)
        });
        let mut outputs = outputs.collect::<Result<Vec<_>, _>>()?;
        Ok(match outputs.len() {
            1 => outputs.remove(0),
            _ => Arc::new(StructArray::try_new(signature.fields(), outputs, nulls)?),
        })
    }

    /// Returns what all calls have cost.
    pub fn figures(&self) -> Figures {
        *self.total.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts rows of the same shape together, in their order: which rows are in each run, and the runs.
    fn runs(
        &self,
        inputs: &[InputColumn],
        rows: usize,
        nulls: Option<&NullBuffer>,
    ) -> Result<(Vec<Vec<usize>>, Vec<Run>), InferenceError> {
        let axes = &self.workers.job().signature.inputs;
        // By the sizes of the axes that vary.
        let mut alike: BTreeMap<Vec<usize>, Vec<usize>> = BTreeMap::new();
        for row in (0..rows).filter(|row| nulls.is_none_or(|nulls| nulls.is_valid(*row))) {
            let mut sizes = Vec::new();
            for (axes, input) in axes.iter().zip(inputs) {
                let (found, values) = (input.count(row), axes.values());
                let fits = if axes.varies() {
                    sizes.push(found / values);
                    found.is_multiple_of(values)
                } else {
                    found == values
                };
                if !fits {
                    return Err(InferenceError::Row {
                        row,
                        input: axes.tensor.name.clone(),
                        expected: axes.expected(),
                        found,
                    });
                }
            }
            alike.entry(sizes).or_default().push(row);
        }
        let (mut run_rows, mut runs) = (Vec::new(), Vec::new());
        for (sizes, rows) in alike {
            let mut sizes = sizes.into_iter();
            let varying: Vec<_> = axes
                .iter()
                .map(|axes| if axes.varies() { sizes.next() } else { None })
                .map(Option::unwrap_or_default)
                .collect();
            let widest = axes
                .iter()
                .zip(&varying)
                .map(|(axes, varying)| axes.shape(1, *varying).iter().product::<usize>())
                .fold(1, usize::max);
            let most = (VALUES_A_RUN / widest).clamp(1, self.max_batch_rows);
            for rows in rows.chunks(most) {
                let inputs = axes.iter().zip(inputs).zip(&varying);
                let inputs = inputs.map(|((axes, input), varying)| {
                    Ok((axes.shape(rows.len(), *varying), input.gather(rows)?))
                });
                run_rows.push(rows.to_vec());
                runs.push(Run {
                    rows: rows.len(),
                    inputs: inputs.collect::<Result<_, InferenceError>>()?,
                });
            }
        }
        Ok((run_rows, runs))
    }
}
