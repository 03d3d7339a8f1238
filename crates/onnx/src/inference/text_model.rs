//! A model of texts: columns in, a row of numbers a text out.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use lexstream_columns::Texts;
use lexstream_columns::model::{Figures, Watch};

use super::encoder::{Encoded, PairEncoder};
use super::pool::Pool;
use super::text_job::{Input, TextJob};
use super::workers::Workers;
use super::{Dump, Encoder, Graph, Head, InferenceError, Tensor, Truncation};

/// How much a model takes at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Tokens of one text, special ones included.
    pub max_length: usize,
    /// What becomes of a text that is longer.
    pub truncation: Truncation,
    /// Tokens of one run, padding included.
    pub max_batch_tokens: usize,
    /// Sessions, a worker thread each.
    pub sessions: usize,
}

/// What a model of texts is put together from.
#[derive(Debug)]
pub struct TextParts {
    /// Its tokenizer.
    pub encoder: Encoder,
    /// Its graph.
    pub graph: Graph,
    /// The graph's inputs, by [`Graph::signature`].
    pub inputs: Vec<Tensor>,
    /// What is made of the graph's output.
    pub head: Head,
    /// How many numbers of a text that gives.
    pub width: usize,
    /// How much it takes at once.
    pub limits: Limits,
    /// Where its runs are written, if anywhere.
    pub dump: Option<Dump>,
}

/// A graph over tokens, its tokenizer and what is made of its output.
#[derive(Debug)]
pub struct TextModel {
    encoder: Arc<Encoder>,
    workers: Workers<TextJob>,
    limits: Limits,
    /// What all calls have cost.
    total: Mutex<Figures>,
}

impl TextModel {
    /// Puts a model together; the first text loads the graph.
    ///
    /// An input that no model of texts has is returned as the error.
    pub fn new(parts: TextParts) -> Result<Self, String> {
        let known = |tensor: &Tensor| {
            let input = Input::NAMES.iter().find(|(name, _)| *name == tensor.name);
            input
                .map(|(_, input)| *input)
                .ok_or_else(|| tensor.name.clone())
        };
        let limits = parts.limits;
        let job = TextJob {
            graph: parts.graph,
            inputs: parts.inputs.iter().map(known).collect::<Result<_, _>>()?,
            head: parts.head,
            width: parts.width,
            padding_id: parts.encoder.padding_id(),
            dump: parts.dump,
        };
        let pool = Pool::new(limits.max_batch_tokens);
        Ok(Self {
            encoder: Arc::new(parts.encoder),
            workers: Workers::new(job, pool, limits.sessions),
            limits,
            total: Mutex::default(),
        })
    }

    /// Returns what all calls have cost.
    pub fn figures(&self) -> Figures {
        *self.total.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the model's tokenizer.
    pub fn encoder(&self) -> &Arc<Encoder> {
        &self.encoder
    }

    /// Returns the names of inputs that a model of texts may have.
    pub fn input_names() -> Vec<&'static str> {
        Input::NAMES.iter().map(|(name, _)| *name).collect()
    }

    /// Computes each text; a text that is there several times is computed once.
    ///
    /// Returns `width` numbers a row, zeros for NULL. It blocks until the last of them is done.
    pub fn rows(&self, texts: &Texts) -> Result<Vec<f32>, InferenceError> {
        let limits = &self.limits;
        self.compute(texts.values(), |text| {
            let encoded = self
                .encoder
                .encode(text, limits.max_length, limits.truncation);
            Ok(encoded?)
        })
    }

    /// Computes each pair of texts, as [`TextModel::rows`] does; zeros where one of them is NULL.
    pub fn pair_rows(&self, first: &Texts, second: &Texts) -> Result<Vec<f32>, InferenceError> {
        let limits = &self.limits;
        let mut pairs = PairEncoder::new(&self.encoder, limits.max_length, limits.truncation);
        let values = first.values().into_iter().zip(second.values());
        let values = values.map(|(first, second)| first.zip(second)).collect();
        self.compute(values, |(first, second)| Ok(pairs.encode(first, second)?))
    }

    /// Encodes and computes each distinct value once.
    fn compute<T: Copy + Eq + Hash>(
        &self,
        values: Vec<Option<T>>,
        mut encode: impl FnMut(T) -> Result<Encoded, InferenceError>,
    ) -> Result<Vec<f32>, InferenceError> {
        let watch = Watch::current();
        let mut distinct: HashMap<T, usize> = HashMap::new();
        let mut encoded = Vec::new();
        let mut places = Vec::with_capacity(values.len());
        for value in values {
            let Some(value) = value else {
                places.push(None);
                continue;
            };
            let place = match distinct.get(&value) {
                Some(place) => *place,
                None => {
                    if watch.as_ref().is_some_and(|watch| watch.is_cancelled()) {
                        return Err(InferenceError::Cancelled);
                    }
                    encoded.push(encode(value)?);
                    distinct.insert(value, encoded.len() - 1);
                    encoded.len() - 1
                }
            };
            places.push(Some(place));
        }
        let mut figures = Figures {
            distinct_texts: encoded.len(),
            tokens: encoded.iter().map(|text| text.ids.len()).sum(),
            ..Figures::default()
        };
        let width = self.workers.job().width;
        let mut rows: Vec<Vec<f32>> = vec![Vec::new(); encoded.len()];
        let started = Instant::now();
        for done in self.workers.submit(encoded)? {
            let done = done?;
            figures.runs += done.runs;
            figures.model_time += done.time;
            for (place, row) in done.outputs {
                figures.padded_tokens += row.padded_tokens;
                rows[place] = row.numbers;
            }
        }
        figures.waiting_time = started.elapsed();
        *self.total.lock().unwrap_or_else(PoisonError::into_inner) += figures;
        if let Some(watch) = watch {
            watch.add(|total| *total += figures);
        }
        let mut out = vec![0.0; places.len() * width];
        for (row, place) in out.chunks_exact_mut(width).zip(places) {
            if let Some(place) = place {
                row.copy_from_slice(&rows[place]);
            }
        }
        Ok(out)
    }
}
