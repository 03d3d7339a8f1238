//! A model of texts: columns in, a row of numbers a text out.

use std::collections::HashMap;
use std::hash::Hash;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use lexstream_udfs::columns::Texts;
use lexstream_udfs::model::Watch;

use super::encoder::{Encoded, PairEncoder};
use super::packing::pack;
use super::text_job::{Input, Run, TextJob};
use super::workers::Workers;
use super::{Encoder, Graph, Head, InferenceError, Tensor, Truncation};

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

/// Where runs are written before they are computed, to be looked at or replayed.
#[derive(Debug)]
pub struct Dump {
    folder: PathBuf,
    runs: AtomicUsize,
}

impl Dump {
    /// Writes into a folder, which is made with the first run.
    pub fn new(folder: PathBuf) -> Self {
        Self {
            folder,
            runs: AtomicUsize::new(0),
        }
    }

    /// Writes each run as JSON, `{"ids": […], "types": […]}` with a list a text.
    fn write(&self, runs: &[Run]) -> std::io::Result<()> {
        std::fs::create_dir_all(&self.folder)?;
        for run in runs {
            let number = self.runs.fetch_add(1, Ordering::Relaxed);
            let ids: Vec<_> = run.texts.iter().map(|text| &text.ids).collect();
            let types: Vec<_> = run.texts.iter().map(|text| &text.types).collect();
            let text = serde_json::json!({"ids": ids, "types": types}).to_string();
            std::fs::write(self.folder.join(format!("run-{number:06}.json")), text)?;
        }
        Ok(())
    }
}

/// A graph over tokens, its tokenizer and what is made of its output.
#[derive(Debug)]
pub struct TextModel {
    encoder: Arc<Encoder>,
    workers: Workers<TextJob>,
    limits: Limits,
    dump: Option<Dump>,
}

impl TextModel {
    /// Puts a model together, whose result is `width` numbers a text; the first text loads the graph.
    ///
    /// `inputs` are the graph's, by [`Graph::signature`]; one that no model of texts has is returned as the error.
    pub fn new(
        encoder: Arc<Encoder>,
        graph: Graph,
        inputs: &[Tensor],
        head: Head,
        width: usize,
        limits: Limits,
    ) -> Result<Self, String> {
        let known = |tensor: &Tensor| {
            let input = Input::NAMES.iter().find(|(name, _)| *name == tensor.name);
            input
                .map(|(_, input)| *input)
                .ok_or_else(|| tensor.name.clone())
        };
        let job = TextJob {
            graph,
            inputs: inputs.iter().map(known).collect::<Result<_, _>>()?,
            head,
            width,
            padding_id: encoder.padding_id(),
        };
        Ok(Self {
            encoder,
            workers: Workers::new(job, limits.sessions),
            limits,
            dump: None,
        })
    }

    /// Writes every run before it is computed.
    #[must_use]
    pub fn with_dump(mut self, dump: Option<Dump>) -> Self {
        self.dump = dump;
        self
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
    /// Returns `width` numbers a row, zeros for NULL. It blocks until the last run is done.
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
        let width = self.workers.job().width;
        let mut vectors = vec![0.0; encoded.len() * width];
        let distinct_texts = encoded.len();
        let tokens: usize = encoded.iter().map(|text| text.ids.len()).sum();
        let runs = self.runs(encoded);
        if let Some(dump) = &self.dump {
            dump.write(&runs).map_err(InferenceError::Dump)?;
        }
        let (number, padded_tokens) = (
            runs.len(),
            runs.iter().map(Run::padded_tokens).sum::<usize>(),
        );
        let started = Instant::now();
        let mut model_time = Duration::ZERO;
        for done in self.workers.submit(runs.into())? {
            let done = done?;
            model_time += done.time;
            for (place, row) in done.run.places.iter().zip(done.output.chunks_exact(width)) {
                vectors[place * width..(place + 1) * width].copy_from_slice(row);
            }
        }
        if let Some(watch) = watch {
            watch.add(|figures| {
                figures.distinct_texts += distinct_texts;
                figures.tokens += tokens;
                figures.padded_tokens += padded_tokens;
                figures.runs += number;
                figures.model_time += model_time;
                figures.waiting_time += started.elapsed();
            });
        }
        let mut out = vec![0.0; places.len() * width];
        for (row, place) in out.chunks_exact_mut(width).zip(places) {
            if let Some(place) = place {
                row.copy_from_slice(&vectors[place * width..(place + 1) * width]);
            }
        }
        Ok(out)
    }

    /// Packs texts of similar length into runs.
    fn runs(&self, texts: Vec<Encoded>) -> Vec<Run> {
        let mut texts: Vec<_> = texts.into_iter().enumerate().collect();
        texts.sort_by_key(|(_, text)| text.ids.len());
        let lengths: Vec<_> = texts.iter().map(|(_, text)| text.ids.len()).collect();
        let runs = pack(&lengths, self.limits.max_batch_tokens);
        runs.into_iter()
            .map(|run| {
                let (places, texts) = texts.drain(run.start..).unzip();
                Run { places, texts }
            })
            .collect()
    }
}
