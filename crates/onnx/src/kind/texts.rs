//! Graphs over the tokens of texts: the tasks `classification`, `embedding` and `rerank`.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::{ArrayRef, StringArray};
use lexstream_columns::Texts;
use lexstream_columns::model::{
    Classifier, Embedder, Figures, Model, ModelError, Reranker, TokenIds, Unusable, Watch,
};
use lexstream_text::tokenizers::Tokenizer;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::error::OnnxError;
use super::export::{self, Export, ExportError};
use super::graph::{Files, GraphDetails, Opened, take};
use super::task::Task;
use crate::inference::{
    Activation, Dump, Encoder, Head, InferenceError, Limits, Pooling, Tensor, TextModel, TextParts,
    Truncation,
};
use lexstream_models::kinds::Request;
use lexstream_models::store::{FileRecord, Stored};

/// Tokens of a run by default, padding included.
const MAX_BATCH_TOKENS: usize = 4096;

/// Tokens of a text where nothing says how many the model takes.
const MAX_LENGTH: usize = 512;

/// A text that every model is tried with.
const PROBE: &str = "Is it there?";

/// How far what a model makes of [`PROBE`] may be from what it made before, in lengths of that: quantised models
/// differ a little between processors.
const APART: f32 = 0.1;

const ACTIVATIONS: &[(&str, Activation)] = &[
    ("none", Activation::None),
    ("sigmoid", Activation::Sigmoid),
    ("softmax", Activation::Softmax),
];

const POOLINGS: &[(&str, Pooling)] = &[
    ("cls", Pooling::Cls),
    ("last_token", Pooling::LastToken),
    ("max", Pooling::Max),
    ("mean", Pooling::Mean),
];

/// What the manifest keeps of a model of texts.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Details {
    #[serde(flatten)]
    graph: GraphDetails,
    #[serde(flatten)]
    reading: Reading,
    max_length: usize,
    truncate: bool,
    max_batch_tokens: usize,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    dump_runs: Option<PathBuf>,
    /// What the model made of [`PROBE`] when it was made; a loaded model must make nearly the same.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    golden: Vec<f32>,
}

/// Which output is read, and what is made of it; what a task does not need is left out.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Reading {
    output: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    dimension: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pooling: Option<Pooling>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    normalize: Option<bool>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    labels: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    activation: Option<Activation>,
}

impl Reading {
    /// Returns what is made of the output, and how many numbers of a text that gives.
    fn head(&self) -> (Head, usize) {
        let output = self.output.clone();
        match (self.dimension, self.activation) {
            (Some(dimension), _) => {
                let head = Head::Embedding {
                    output,
                    pooling: self.pooling.unwrap_or(Pooling::None),
                    normalize: self.normalize.unwrap_or_default(),
                };
                (head, dimension)
            }
            (None, activation) => {
                let head = Head::Scores {
                    output,
                    activation: activation.unwrap_or(Activation::None),
                };
                (head, self.labels.len().max(1))
            }
        }
    }
}

/// Makes a version; whatever could keep it from working shows here, on one text.
pub(super) fn make(
    request: &Request<'_>,
    export: &Export,
    task: Task,
    runtime: &[PathBuf],
) -> Result<(Vec<FileRecord>, Value), ModelError> {
    let model = request.name.to_string();
    let tokenizer = export
        .tokenizer
        .as_deref()
        .ok_or_else(|| OnnxError::Export {
            model: model.clone(),
            source: ExportError::NoTokenizer(export.folder.clone()),
        })?;
    let mut records = take(request, export)?;
    records.push(request.take("tokenizer", &export.folder, tokenizer)?);
    let files = Files {
        model: &model,
        records: &records,
        place: &|file| request.path(file),
        runtime,
    };
    let graph = GraphDetails::read(request, &files)?;
    let known = TextModel::input_names();
    if let Some(input) = graph
        .inputs
        .iter()
        .find(|input| !known.contains(&input.name.as_str()))
    {
        return Err(OnnxError::Input {
            model,
            found: input.name.clone(),
            known,
        }
        .into());
    }
    let reading = match task {
        Task::Embedding => embedding(request, export, &graph.outputs)?,
        Task::Rerank => rerank(request, export, &graph.outputs)?,
        Task::Classification | Task::Predict => classification(request, export, &graph.outputs)?,
    };
    let max_length = request.count("max_length")?;
    if let (Some(length), Some(positions)) = (max_length, export.positions())
        && length > positions
    {
        let expected = format!("at most {positions}, the positions that config.json tells of");
        return Err(request.wrong("max_length", expected).into());
    }
    let max_length = max_length.or(export.max_length());
    let mut details = Details {
        graph,
        reading,
        max_length: max_length.unwrap_or(MAX_LENGTH),
        truncate: request.flag("truncate", true)?,
        max_batch_tokens: request
            .count("max_batch_tokens")?
            .unwrap_or(MAX_BATCH_TOKENS),
        dump_runs: None,
        golden: Vec::new(),
    };
    let built = build(&details, &files)?;
    let found = built.encoder().ids();
    let expected = match &export.table {
        Some((name, rows)) => Some((*rows, format!("rows of `{name}` in the graph"))),
        None => export
            .config
            .vocab_size
            .map(|size| (size as u64, "vocab_size in config.json".to_owned())),
    };
    if let Some((expected, of)) = expected
        && found > expected
    {
        return Err(OnnxError::Vocabulary {
            model,
            expected,
            of,
            found,
        }
        .into());
    }
    details.golden = probe(&model, &built, task)?;
    if let Some(folder) = request.text("dump_runs") {
        details.dump_runs = Some(std::path::absolute(folder)?);
    }
    Ok((records, serde_json::to_value(&details)?))
}

/// Tells whether an output has numbers that become Float32.
fn is_float(output: &Tensor) -> bool {
    ["bfloat16", "float16", "float32"].contains(&output.r#type.as_str())
}

fn embedding(
    request: &Request<'_>,
    export: &Export,
    outputs: &[Tensor],
) -> Result<Reading, ModelError> {
    let wide = |rank: usize| {
        move |output: &&Tensor| {
            output.shape.len() == rank && output.shape[rank - 1].is_some() && is_float(output)
        }
    };
    let sentence = outputs
        .iter()
        .find(|output| output.name == "sentence_embedding" && wide(2)(output));
    let tokens = outputs.iter().find(wide(3));
    // A graph that pools is asked for its own result, unless the statement says otherwise.
    let output = match (sentence, request.text("pooling")) {
        (Some(sentence), None) => Some(sentence),
        _ => tokens,
    };
    let Some(output) = output else {
        return Err(OnnxError::Output {
            model: request.name.to_string(),
            expected: "of floating-point numbers [texts, tokens, dimension], or sentence_embedding [texts, dimension]",
            found: shown(outputs),
        }
        .into());
    };
    let pooling = if output.shape.len() == 2 {
        Pooling::None
    } else {
        let is_known = |module: &&export::Module| {
            let known = [".Transformer", ".Pooling", ".Normalize", ".Dropout"];
            known.iter().any(|known| module.r#type.ends_with(known))
        };
        let mut modules = export.modules.iter().flatten();
        if let Some(module) = modules.find(|module| !is_known(module)) {
            return Err(OnnxError::Module {
                model: request.name.to_string(),
                module: module.r#type.clone(),
            }
            .into());
        }
        let pooling = match &export.pooling {
            None => Some(Pooling::Mean),
            Some(config)
                if config.pooling_mode_mean_sqrt_len_tokens
                    || config.pooling_mode_weightedmean_tokens =>
            {
                None
            }
            Some(config) => {
                let modes = [
                    (config.pooling_mode_cls_token, Pooling::Cls),
                    (config.pooling_mode_lasttoken, Pooling::LastToken),
                    (config.pooling_mode_max_tokens, Pooling::Max),
                    (config.pooling_mode_mean_tokens, Pooling::Mean),
                ];
                let mut chosen = modes.iter().filter(|(chosen, _)| *chosen);
                // Several at once are concatenated by sentence-transformers.
                match (chosen.next(), chosen.next()) {
                    (Some((_, pooling)), None) => Some(*pooling),
                    _ => None,
                }
            }
        };
        match (request.text("pooling"), pooling) {
            (None, None) => return Err(OnnxError::Pooling(request.name.to_string()).into()),
            (None, Some(pooling)) => pooling,
            (Some(_), _) => request.choice("pooling", POOLINGS, Pooling::Mean)?,
        }
    };
    let normalizes = |module: &export::Module| module.r#type.ends_with(".Normalize");
    let normalize = export
        .modules
        .as_ref()
        .is_some_and(|modules| modules.iter().any(normalizes));
    let dimension = output.shape.last().copied().flatten();
    Ok(Reading {
        output: output.name.clone(),
        dimension: dimension.and_then(|width| usize::try_from(width).ok()),
        pooling: Some(pooling),
        normalize: Some(request.flag("normalize", normalize)?),
        ..Reading::default()
    })
}

fn classification(
    request: &Request<'_>,
    export: &Export,
    outputs: &[Tensor],
) -> Result<Reading, ModelError> {
    let fits = |output: &&Tensor| output.shape.len() == 2 && is_float(output);
    let Some(output) = logits(outputs, fits) else {
        return Err(OnnxError::Output {
            model: request.name.to_string(),
            expected: "of floating-point numbers [texts, labels]",
            found: shown(outputs),
        }
        .into());
    };
    let mut labels = export.labels();
    if let Some(width) = output.shape[1] {
        if labels.is_empty() && export.config.id2label.is_empty() {
            labels = (0..width).map(|label| format!("LABEL_{label}")).collect();
        }
        if labels.len() as u64 != width || labels.is_empty() {
            return Err(OnnxError::Labels {
                model: request.name.to_string(),
                output: output.name.clone(),
                width,
                labels: labels.len(),
            }
            .into());
        }
    } else if labels.is_empty() {
        return Err(OnnxError::Output {
            model: request.name.to_string(),
            expected: "of a width that the graph or config.json (id2label) says",
            found: shown(outputs),
        }
        .into());
    }
    let multi_label = export.config.problem_type.as_deref() == Some("multi_label_classification");
    // One label alone excludes no other.
    let activation = if multi_label || labels.len() == 1 {
        Activation::Sigmoid
    } else {
        Activation::Softmax
    };
    Ok(Reading {
        output: output.name.clone(),
        labels,
        activation: Some(request.choice("activation", ACTIVATIONS, activation)?),
        ..Reading::default()
    })
}

fn rerank(
    request: &Request<'_>,
    export: &Export,
    outputs: &[Tensor],
) -> Result<Reading, ModelError> {
    let fits = |output: &&Tensor| {
        let is_one = matches!(*output.shape, [_] | [_, None | Some(1)]);
        is_one && is_float(output)
    };
    let Some(output) = logits(outputs, fits) else {
        return Err(OnnxError::Output {
            model: request.name.to_string(),
            expected: "of floating-point numbers [pairs] or [pairs, 1]",
            found: shown(outputs),
        }
        .into());
    };
    let config = &export.config;
    let named = config.sentence_transformers.activation_fn.as_deref();
    let named = named.or(config.sbert_ce_default_activation_function.as_deref());
    // A class of torch, by its path.
    let activation = match named.map(|path| path.rsplit('.').next().unwrap_or(path)) {
        Some("Identity") => Activation::None,
        None | Some("Sigmoid") => Activation::Sigmoid,
        Some(other) if request.text("activation").is_none() => {
            return Err(OnnxError::Activation {
                model: request.name.to_string(),
                found: other.to_owned(),
            }
            .into());
        }
        Some(_) => Activation::None,
    };
    let one = &ACTIVATIONS[..2];
    Ok(Reading {
        output: output.name.clone(),
        activation: Some(request.choice("activation", one, activation)?),
        ..Reading::default()
    })
}

/// Returns the output `logits`, else the first one that fits.
fn logits(outputs: &[Tensor], fits: impl Fn(&&Tensor) -> bool) -> Option<&Tensor> {
    let named = outputs
        .iter()
        .find(|output| output.name == "logits" && fits(output));
    named.or_else(|| outputs.iter().find(fits))
}

/// Returns outputs as a message shows them: `logits float32 [?, 2]`.
fn shown(outputs: &[Tensor]) -> Vec<String> {
    let shown = outputs
        .iter()
        .map(|output| format!("{} {output}", output.name));
    shown.collect()
}

/// Computes one text.
fn probe(model: &str, built: &TextModel, task: Task) -> Result<Vec<f32>, ModelError> {
    let text: ArrayRef = Arc::new(StringArray::from(vec![PROBE]));
    let text = Texts::try_new(text)?;
    let row = match task {
        Task::Rerank => built.pair_rows(&text, &text),
        _ => built.rows(&text),
    };
    row.map_err(|source| OnnxError::run(model, source))
}

/// Refuses a model that makes something else of [`PROBE`] than it did when it was made: broken hardware, or a build of
/// ONNX Runtime that does not fit it.
fn check_golden(model: &str, golden: &[f32], found: &[f32]) -> Result<(), OnnxError> {
    let squares = |values: &mut dyn Iterator<Item = f32>| values.map(|x| x * x).sum::<f32>();
    let apart = squares(&mut golden.iter().zip(found).map(|(a, b)| a - b));
    // A score near zero is measured against 1, as the others are.
    let length = squares(&mut golden.iter().copied()).sqrt().max(1.0);
    let distance = apart.sqrt() / length;
    if golden.is_empty() || (golden.len() == found.len() && distance <= APART) {
        return Ok(());
    }
    Err(OnnxError::Golden {
        model: model.to_owned(),
        distance,
    })
}

/// Puts a model together from its files.
fn build(details: &Details, files: &Files<'_>) -> Result<TextModel, ModelError> {
    let model = files.model;
    let tokenizer = files.path("tokenizer")?;
    let json = std::fs::read(&tokenizer).map_err(|source| OnnxError::Export {
        model: model.to_owned(),
        source: ExportError::Read {
            path: tokenizer.clone(),
            source,
        },
    })?;
    let encoder = Encoder::new(&json)
        .map_err(|source| format!("model `{model}`: {}: {source}", tokenizer.display()))?;
    let (head, width) = details.reading.head();
    let limits = Limits {
        max_length: details.max_length,
        truncation: if details.truncate {
            Truncation::Cut
        } else {
            Truncation::Refuse
        },
        max_batch_tokens: details.max_batch_tokens,
        sessions: details.graph.sessions,
    };
    let built = TextModel::new(TextParts {
        encoder,
        graph: details.graph.graph(files)?,
        inputs: details.graph.inputs.clone(),
        head,
        width,
        limits,
        dump: details.dump_runs.clone().map(Dump::new),
    });
    let built = built.map_err(|found| OnnxError::Input {
        model: model.to_owned(),
        found,
        known: TextModel::input_names(),
    })?;
    Ok(built)
}

pub(super) fn open(
    stored: Stored,
    runtime: &[PathBuf],
    task: Task,
) -> Result<Arc<dyn Model>, ModelError> {
    let opened = Opened::new(stored, runtime)?;
    Ok(Arc::new(TextsModel {
        task,
        opened,
        proven: Mutex::new(false),
    }))
}

/// One version of a model of texts.
#[derive(Debug)]
struct TextsModel {
    task: Task,
    opened: Opened<Details, TextModel>,
    /// Whether it has made of [`PROBE`] what it made before.
    proven: Mutex<bool>,
}

impl TextsModel {
    fn built(&self) -> Result<Arc<TextModel>, ModelError> {
        self.opened
            .built(|files| build(&self.opened.details, files))
    }

    /// Returns the model, which has shown that it makes what it made before.
    fn proven(&self) -> Result<Arc<TextModel>, ModelError> {
        let Opened { id, details, .. } = &self.opened;
        let built = self.built()?;
        let mut proven = self.proven.lock().unwrap_or_else(PoisonError::into_inner);
        if !*proven {
            // It is no part of what a query costs.
            let found = Watch::new().during(|| probe(id, &built, self.task));
            let checked = found.and_then(|found| Ok(check_golden(id, &details.golden, &found)?));
            checked.map_err(Unusable::mark)?;
            *proven = true;
        }
        Ok(built)
    }

    fn rows(
        &self,
        compute: impl FnOnce(&TextModel) -> Result<Vec<f32>, InferenceError>,
    ) -> Result<Vec<f32>, ModelError> {
        let rows = compute(&*self.proven()?);
        rows.map_err(|source| OnnxError::run(&self.opened.id, source))
    }
}

impl Model for TextsModel {
    fn id(&self) -> &str {
        &self.opened.id
    }

    fn kind(&self) -> &str {
        &self.opened.kind
    }

    fn figures(&self) -> Figures {
        let built = self.opened.peek();
        built.map_or_else(Figures::default, |model| model.figures())
    }

    fn embedder(&self) -> Option<&dyn Embedder> {
        (self.task == Task::Embedding).then_some(self as &dyn Embedder)
    }

    fn classifier(&self) -> Option<&dyn Classifier> {
        (self.task == Task::Classification).then_some(self as &dyn Classifier)
    }

    fn reranker(&self) -> Option<&dyn Reranker> {
        (self.task == Task::Rerank).then_some(self as &dyn Reranker)
    }

    fn can_tokenize(&self) -> bool {
        true
    }

    fn tokenizer(&self) -> Result<Arc<dyn Tokenizer>, ModelError> {
        Ok(Arc::<Encoder>::clone(self.built()?.encoder()))
    }

    fn has_token_ids(&self) -> bool {
        true
    }

    fn token_ids(&self) -> Result<Arc<dyn TokenIds>, ModelError> {
        Ok(Arc::<Encoder>::clone(self.built()?.encoder()))
    }
}

impl Embedder for TextsModel {
    fn dimension(&self) -> usize {
        self.opened.details.reading.dimension.unwrap_or_default()
    }

    fn embed(&self, texts: &Texts) -> Result<Vec<f32>, ModelError> {
        self.rows(|model| model.rows(texts))
    }
}

impl Classifier for TextsModel {
    fn labels(&self) -> &[String] {
        &self.opened.details.reading.labels
    }

    fn scores(&self, texts: &Texts) -> Result<Vec<f32>, ModelError> {
        self.rows(|model| model.rows(texts))
    }
}

impl Reranker for TextsModel {
    fn rerank(&self, queries: &Texts, texts: &Texts) -> Result<Vec<f32>, ModelError> {
        self.rows(|model| model.pair_rows(queries, texts))
    }
}
