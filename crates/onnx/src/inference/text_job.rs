//! Texts that share a run: their tokens as tensors, and rows of numbers out of what the graph gives.

use ort::session::{Session, SessionInputValue};
use ort::value::Tensor;

use super::dump::Dump;
use super::encoder::Encoded;
use super::job::Job;
use super::pool::Pool;
use super::{Graph, Head, InferenceError};

/// What a worker does with texts.
#[derive(Debug)]
pub(super) struct TextJob {
    pub(super) graph: Graph,
    /// The graph's inputs, in its order; all of them known ones.
    pub(super) inputs: Vec<Input>,
    pub(super) head: Head,
    pub(super) width: usize,
    pub(super) padding_id: u32,
    pub(super) dump: Option<Dump>,
}

/// What the model makes of a text.
#[derive(Debug)]
pub(super) struct Row {
    /// As many as the head is wide.
    pub(super) numbers: Vec<f32>,
    /// The tokens that the model was given for it, padding included.
    pub(super) padded_tokens: usize,
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

impl Job for TextJob {
    type Session = Session;
    type Item = Encoded;
    type Output = Row;
    type Queue = Pool;

    fn open(&self) -> Result<Session, InferenceError> {
        self.graph.session()
    }

    fn begin(&self, texts: &[&Encoded]) -> Result<(), InferenceError> {
        match &self.dump {
            Some(dump) => dump.write(texts).map_err(InferenceError::Dump),
            None => Ok(()),
        }
    }

    fn compute(
        &self,
        session: &mut Session,
        texts: &[&Encoded],
    ) -> Result<Vec<Row>, InferenceError> {
        let lengths: Vec<_> = texts.iter().map(|text| text.ids.len()).collect();
        let longest = lengths.iter().copied().max().unwrap_or(0);
        let shape = [texts.len(), longest];
        let padded = |values: &dyn Fn(&Encoded, &mut Vec<i64>), padding: i64| {
            let mut data = Vec::with_capacity(shape[0] * longest);
            for text in texts {
                let end = data.len() + longest;
                values(text, &mut data);
                data.resize(end, padding);
            }
            data
        };
        let mut inputs = Vec::with_capacity(self.inputs.len());
        for input in &self.inputs {
            let data = match input {
                Input::Ids => padded(
                    &|text, data| data.extend(text.ids.iter().map(|id| i64::from(*id))),
                    i64::from(self.padding_id),
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
            .get(self.head.output())
            .ok_or_else(|| InferenceError::Output(self.head.output().to_owned()))?;
        let rows = self.head.rows(output, &lengths, self.width)?;
        let rows = rows.chunks_exact(self.width).map(|row| Row {
            numbers: row.to_vec(),
            padded_tokens: longest,
        });
        Ok(rows.collect())
    }
}
