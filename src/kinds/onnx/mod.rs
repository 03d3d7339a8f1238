//! `onnx`: a graph in ONNX Runtime, with its tokenizer, from a Hugging Face export.

mod export;

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::available_parallelism;

use lexstream_udfs::columns::Texts;
use lexstream_udfs::model::{Classifier, Embedder, Model, ModelError, TokenIds};
use lexstream_udfs::text::tokenizers::Tokenizer;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use self::export::{Export, ExportError};
use super::{Kind, Made, OptionSpec, Request, Surroundings};
use crate::inference::{
    Encoder, Graph, Head, InferenceError, Limits, Pooling, Tensor, TextModel, Truncation,
};
use crate::models::{FileRecord, Stored};

/// The kind `onnx`.
#[derive(Debug)]
pub(super) struct OnnxKind;

/// Why an export makes no model.
#[derive(Debug, thiserror::Error)]
enum OnnxError {
    /// The export lacks something.
    #[error("model `{model}`")]
    Export { model: String, source: ExportError },
    /// Nothing says what the model does.
    #[error(
        "model `{0}`: the files don't tell what it does; `task` must be one of classification, embedding"
    )]
    Task(String),
    /// An input that texts don't have.
    #[error("model `{model}`: the graph has the input `{found}`; expected {}", known.join(", "))]
    Input {
        model: String,
        found: String,
        known: Vec<&'static str>,
    },
    /// No output fits the task.
    #[error("model `{model}`: expected an output {expected}, found {}", found.join(", "))]
    Output {
        model: String,
        expected: &'static str,
        found: Vec<String>,
    },
    /// As many labels as the output is wide.
    #[error(
        "model `{model}`: expected one label for each of the {width} columns of output `{output}`, found {labels} in config.json"
    )]
    Labels {
        model: String,
        output: String,
        width: u64,
        labels: usize,
    },
    /// The tokenizer may give ids that the graph has no vector for.
    #[error(
        "model `{model}`: expected a tokenizer of at most {expected} tokens (vocab_size in config.json), found {found}"
    )]
    Vocabulary {
        model: String,
        expected: usize,
        found: usize,
    },
    /// How tokens become one vector.
    #[error(
        "model `{0}`: 1_Pooling/config.json asks for a pooling that is not there; `pooling` must be one of cls, last_token, max, mean"
    )]
    Pooling(String),
    /// The model ran and failed.
    #[error("model `{model}`")]
    Run {
        model: String,
        source: InferenceError,
    },
    /// CUDA is not there yet.
    #[error(
        "model `{0}`: this build of Lexstream runs models on the CPU only; `device` must be one of auto, cpu"
    )]
    Device(String),
    /// A manifest's details are not what this kind writes.
    #[error("model `{model}`: its manifest lacks what this kind needs")]
    Details {
        model: String,
        source: serde_json::Error,
    },
    /// A manifest names no such file.
    #[error("model `{model}`: its manifest names no file for `{role}`")]
    Role { model: String, role: &'static str },
}

/// What the manifest keeps of a model besides its files.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Details {
    inputs: Vec<Tensor>,
    outputs: Vec<Tensor>,
    /// The output that is read.
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
    multi_label: Option<bool>,
    max_length: usize,
    truncate: bool,
    max_batch_tokens: usize,
    sessions: usize,
    threads: usize,
    device: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Task {
    Classification,
    Embedding,
}

const TASKS: &[(&str, Task)] = &[
    ("classification", Task::Classification),
    ("embedding", Task::Embedding),
];

const POOLINGS: &[(&str, Pooling)] = &[
    ("cls", Pooling::Cls),
    ("last_token", Pooling::LastToken),
    ("max", Pooling::Max),
    ("mean", Pooling::Mean),
];

/// Tokens of a run by default, padding included.
const MAX_BATCH_TOKENS: usize = 4096;

/// Tokens of a text where nothing says how many the model takes.
const MAX_LENGTH: usize = 512;

impl Kind for OnnxKind {
    fn name(&self) -> &'static str {
        "onnx"
    }

    fn description(&self) -> &'static str {
        "A graph in ONNX Runtime, from a Hugging Face export as it is: `CREATE MODEL minilm WITH ('path' = 'models/all-MiniLM-L6-v2')`, then `embed('minilm', text)`, `classify`, `classify_scores`, `token_ids`, and its name is a tokenizer. The folder holds `model.onnx` (or `onnx/model.onnx`), `tokenizer.json` and `config.json`; `modules.json`, `1_Pooling/config.json` and `sentence_bert_config.json` are followed where they are there. `'kind'` may be left out where `'path'` is given."
    }

    fn options(&self) -> &'static [OptionSpec] {
        &[
            OptionSpec {
                name: "device",
                default: "auto",
                description: "`cpu` or `auto`, which is the CPU in this version.",
            },
            OptionSpec {
                name: "file",
                default: "",
                description: "Which graph of the folder, such as `model_quantized.onnx`.",
            },
            OptionSpec {
                name: "max_batch_tokens",
                default: "4096",
                description: "Tokens that a session takes at once, padding included. A longer text has a run of its own.",
            },
            OptionSpec {
                name: "max_length",
                default: "the export's",
                description: "Tokens of one text, special ones included.",
            },
            OptionSpec {
                name: "normalize",
                default: "the export's",
                description: "Embedding: whether vectors are scaled to length 1.",
            },
            OptionSpec {
                name: "path",
                default: "",
                description: "The export's folder, or an `.onnx` file in it.",
            },
            OptionSpec {
                name: "pooling",
                default: "the export's, else mean",
                description: "Embedding: how the vectors of tokens become one: `cls`, `last_token`, `max`, `mean`.",
            },
            OptionSpec {
                name: "sessions",
                default: "one a core, at most 4",
                description: "Copies of the graph that run at once, each with a thread of its own.",
            },
            OptionSpec {
                name: "task",
                default: "the export's",
                description: "What it does: `classification` or `embedding`.",
            },
            OptionSpec {
                name: "threads",
                default: "the cores, shared out",
                description: "Threads that one session computes with.",
            },
            OptionSpec {
                name: "truncate",
                default: "true",
                description: "Whether a text that is too long loses its end; `false` makes it an error.",
            },
        ]
    }

    fn make(&self, mut request: Request<'_>) -> Result<Made, ModelError> {
        let model = request.name.to_string();
        let wrong_path = "the folder of an export, or an .onnx file".to_owned();
        let Some(path) = request.folder("path")? else {
            return Err(request.wrong("path", wrong_path).into());
        };
        let export = Export::find(&path, request.text("file"));
        let export = export.map_err(|source| OnnxError::Export {
            model: model.clone(),
            source,
        })?;
        let task = task(&model, &request, &export)?;
        let tokenizer = export
            .tokenizer
            .as_deref()
            .ok_or_else(|| OnnxError::Export {
                model: model.clone(),
                source: ExportError::NoTokenizer(export.folder.clone()),
            })?;
        let mut files = vec![
            request.take("graph", &export.folder, &export.graph)?,
            request.take("tokenizer", &export.folder, tokenizer)?,
        ];
        for name in &export.data {
            files.push(request.take("data", &export.folder, name)?);
        }
        for name in &export.settings {
            files.push(request.take("settings", &export.folder, name)?);
        }
        let details = details(&model, &request, &export, task, &files)?;
        // Whatever could keep it from working shows here, on one text.
        let place = |file: &FileRecord| request.path(file);
        let probe = build(&model, &details, &files, place, request.surroundings)?;
        let text: arrow::array::ArrayRef =
            Arc::new(arrow::array::StringArray::from(vec!["Is it there?"]));
        let found = probe.encoder().vocabulary_size();
        if let Some(expected) = export.config.vocab_size
            && found > expected
        {
            return Err(OnnxError::Vocabulary {
                model,
                expected,
                found,
            }
            .into());
        }
        probe
            .rows(&Texts::try_new(text)?)
            .map_err(|source| OnnxError::Run { model, source })?;
        let Value::Object(details) = serde_json::to_value(&details)? else {
            return Err("details are an object".into());
        };
        Ok(Made {
            task: TASKS
                .iter()
                .find(|(_, known)| *known == task)
                .map(|(name, _)| (*name).to_owned()),
            files,
            details: details.into_iter().collect(),
        })
    }

    fn open(
        &self,
        stored: Stored,
        surroundings: &Surroundings,
    ) -> Result<Arc<dyn Model>, ModelError> {
        let details = json!(stored.manifest.details);
        let details: Details =
            serde_json::from_value(details).map_err(|source| OnnxError::Details {
                model: stored.id(),
                source,
            })?;
        Ok(Arc::new(OnnxModel {
            id: stored.id(),
            kind: format!(
                "onnx {}",
                stored.manifest.task.as_deref().unwrap_or_default()
            ),
            stored,
            details,
            surroundings: surroundings.clone(),
            loaded: Mutex::new(None),
        }))
    }
}

/// Returns what the options say the model does, else what the files do.
fn task(model: &str, request: &Request<'_>, export: &Export) -> Result<Task, ModelError> {
    if request.text("task").is_some() {
        return Ok(request.choice("task", TASKS, Task::Embedding)?);
    }
    let classifies = |name: &String| name.ends_with("ForSequenceClassification");
    if export.pooling.is_some() || export.modules.is_some() {
        Ok(Task::Embedding)
    } else if export.config.architectures.iter().any(classifies) {
        Ok(Task::Classification)
    } else if export.tokenizer.is_some()
        && export
            .config
            .architectures
            .iter()
            .any(|name| name.ends_with("Model"))
    {
        Ok(Task::Embedding)
    } else {
        Err(OnnxError::Task(model.to_owned()).into())
    }
}

/// Reads the graph's signature and settles what options and files leave open.
fn details(
    model: &str,
    request: &Request<'_>,
    export: &Export,
    task: Task,
    files: &[FileRecord],
) -> Result<Details, ModelError> {
    let device = request
        .text("device")
        .unwrap_or("auto")
        .to_ascii_lowercase();
    if !["auto", "cpu"].contains(&device.as_str()) {
        return Err(OnnxError::Device(model.to_owned()).into());
    }
    let cores = available_parallelism().map_or(1, usize::from);
    let sessions = request.count("sessions")?.unwrap_or(cores.min(4));
    let threads = request
        .count("threads")?
        .unwrap_or((cores / sessions).max(1));
    let graph = Graph {
        path: request.path(&files[0]),
        runtime: request.surroundings.onnxruntime.clone(),
        threads,
    };
    let (inputs, outputs) = graph.signature().map_err(|source| OnnxError::Run {
        model: model.to_owned(),
        source,
    })?;
    let known = TextModel::input_names();
    if let Some(input) = inputs
        .iter()
        .find(|input| !known.contains(&input.name.as_str()))
    {
        return Err(OnnxError::Input {
            model: model.to_owned(),
            found: input.name.clone(),
            known,
        }
        .into());
    }
    let positions = export.config.max_position_embeddings;
    let max_length = request
        .count("max_length")?
        .or(export.sentence.max_seq_length);
    let mut details = Details {
        inputs,
        outputs,
        output: String::new(),
        dimension: None,
        pooling: None,
        normalize: None,
        labels: Vec::new(),
        multi_label: None,
        max_length: max_length.or(positions).unwrap_or(MAX_LENGTH),
        truncate: request.flag("truncate", true)?,
        max_batch_tokens: request
            .count("max_batch_tokens")?
            .unwrap_or(MAX_BATCH_TOKENS),
        sessions,
        threads,
        device,
    };
    match task {
        Task::Embedding => embedding(model, request, export, &mut details)?,
        Task::Classification => classification(model, export, &mut details)?,
    }
    Ok(details)
}

fn embedding(
    model: &str,
    request: &Request<'_>,
    export: &Export,
    details: &mut Details,
) -> Result<(), ModelError> {
    let wide = |rank: usize| {
        move |output: &&Tensor| {
            output.shape.len() == rank
                && output.shape[rank - 1].is_some()
                && output.r#type == "float32"
        }
    };
    let sentence = details
        .outputs
        .iter()
        .find(|output| output.name == "sentence_embedding" && wide(2)(output));
    let tokens = details.outputs.iter().find(wide(3));
    // A graph that pools is asked for its own result, unless the statement says otherwise.
    let output = match (sentence, request.text("pooling")) {
        (Some(sentence), None) => Some(sentence),
        _ => tokens,
    };
    let Some(output) = output else {
        return Err(OnnxError::Output {
            model: model.to_owned(),
            expected: "of float32 [texts, tokens, dimension], or sentence_embedding [texts, dimension]",
            found: shown(&details.outputs),
        }
        .into());
    };
    details.pooling = Some(if output.shape.len() == 2 {
        Pooling::None
    } else {
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
            (None, None) => return Err(OnnxError::Pooling(model.to_owned()).into()),
            (None, Some(pooling)) => pooling,
            (Some(_), _) => request.choice("pooling", POOLINGS, Pooling::Mean)?,
        }
    });
    let normalizes = |module: &export::Module| module.r#type.ends_with(".Normalize");
    let normalize = export
        .modules
        .as_ref()
        .is_some_and(|modules| modules.iter().any(normalizes));
    details.normalize = Some(request.flag("normalize", normalize)?);
    details.dimension = output
        .shape
        .last()
        .copied()
        .flatten()
        .and_then(|width| usize::try_from(width).ok());
    details.output = output.name.clone();
    Ok(())
}

fn classification(model: &str, export: &Export, details: &mut Details) -> Result<(), ModelError> {
    let fits = |output: &&Tensor| output.shape.len() == 2 && output.r#type == "float32";
    let named = details
        .outputs
        .iter()
        .find(|output| output.name == "logits" && fits(output));
    let Some(output) = named.or_else(|| details.outputs.iter().find(fits)) else {
        return Err(OnnxError::Output {
            model: model.to_owned(),
            expected: "of float32 [texts, labels]",
            found: shown(&details.outputs),
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
                model: model.to_owned(),
                output: output.name.clone(),
                width,
                labels: labels.len(),
            }
            .into());
        }
    } else if labels.is_empty() {
        return Err(OnnxError::Output {
            model: model.to_owned(),
            expected: "of a width that the graph or config.json (id2label) says",
            found: shown(&details.outputs),
        }
        .into());
    }
    details.multi_label =
        Some(export.config.problem_type.as_deref() == Some("multi_label_classification"));
    details.output = output.name.clone();
    details.labels = labels;
    Ok(())
}

/// Returns outputs as a message shows them: `logits float32 [?, 2]`.
fn shown(outputs: &[Tensor]) -> Vec<String> {
    let size = |size: &Option<u64>| size.map_or("?".to_owned(), |size| size.to_string());
    outputs
        .iter()
        .map(|output| {
            let shape: Vec<_> = output.shape.iter().map(size).collect();
            format!("{} {} [{}]", output.name, output.r#type, shape.join(", "))
        })
        .collect()
}

/// Puts a model together from its files.
fn build(
    model: &str,
    details: &Details,
    files: &[FileRecord],
    place: impl Fn(&FileRecord) -> std::path::PathBuf,
    surroundings: &Surroundings,
) -> Result<TextModel, ModelError> {
    let path = |role: &'static str| {
        let file = files.iter().find(|file| file.role == role);
        file.map(&place).ok_or_else(|| OnnxError::Role {
            model: model.to_owned(),
            role,
        })
    };
    let tokenizer = path("tokenizer")?;
    let json = std::fs::read(&tokenizer).map_err(|source| OnnxError::Export {
        model: model.to_owned(),
        source: ExportError::Read {
            path: tokenizer.clone(),
            source,
        },
    })?;
    let encoder = Encoder::new(&json)
        .map_err(|source| format!("model `{model}`: {}: {source}", tokenizer.display()))?;
    let graph = Graph {
        path: path("graph")?,
        runtime: surroundings.onnxruntime.clone(),
        threads: details.threads,
    };
    let output = details.output.clone();
    let (head, width) = match (details.dimension, details.pooling) {
        (Some(dimension), Some(pooling)) => {
            let normalize = details.normalize.unwrap_or_default();
            let head = Head::Embedding {
                output,
                pooling,
                normalize,
            };
            (head, dimension)
        }
        _ => {
            let multi_label = details.multi_label.unwrap_or_default();
            let head = Head::Classification {
                output,
                multi_label,
            };
            (head, details.labels.len())
        }
    };
    let limits = Limits {
        max_length: details.max_length,
        truncation: if details.truncate {
            Truncation::Cut
        } else {
            Truncation::Refuse
        },
        max_batch_tokens: details.max_batch_tokens,
        sessions: details.sessions,
    };
    let built = TextModel::new(
        Arc::new(encoder),
        graph,
        &details.inputs,
        head,
        width,
        limits,
    );
    Ok(built.map_err(|found| OnnxError::Input {
        model: model.to_owned(),
        found,
        known: TextModel::input_names(),
    })?)
}

/// One version of a model, loaded when it is first used.
#[derive(Debug)]
struct OnnxModel {
    id: String,
    kind: String,
    stored: Stored,
    details: Details,
    surroundings: Surroundings,
    loaded: Mutex<Option<Arc<TextModel>>>,
}

impl OnnxModel {
    fn loaded(&self) -> Result<Arc<TextModel>, ModelError> {
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(model) = &*loaded {
            return Ok(Arc::clone(model));
        }
        for file in &self.stored.manifest.files {
            self.stored.verify(file)?;
        }
        let files = &self.stored.manifest.files;
        let place = |file: &FileRecord| self.stored.path(file);
        let model = build(&self.id, &self.details, files, place, &self.surroundings)?;
        Ok(Arc::clone(loaded.insert(Arc::new(model))))
    }

    fn rows(&self, texts: &Texts) -> Result<Vec<f32>, ModelError> {
        let rows = self.loaded()?.rows(texts);
        Ok(rows.map_err(|source| OnnxError::Run {
            model: self.id.clone(),
            source,
        })?)
    }
}

impl Model for OnnxModel {
    fn id(&self) -> &str {
        &self.id
    }

    fn kind(&self) -> &str {
        &self.kind
    }

    fn embedder(&self) -> Option<&dyn Embedder> {
        self.details
            .dimension
            .is_some()
            .then_some(self as &dyn Embedder)
    }

    fn classifier(&self) -> Option<&dyn Classifier> {
        (!self.details.labels.is_empty()).then_some(self as &dyn Classifier)
    }

    fn can_tokenize(&self) -> bool {
        true
    }

    fn tokenizer(&self) -> Result<Arc<dyn Tokenizer>, ModelError> {
        Ok(Arc::<Encoder>::clone(self.loaded()?.encoder()))
    }

    fn has_token_ids(&self) -> bool {
        true
    }

    fn token_ids(&self) -> Result<Arc<dyn TokenIds>, ModelError> {
        Ok(Arc::<Encoder>::clone(self.loaded()?.encoder()))
    }
}

impl Embedder for OnnxModel {
    fn dimension(&self) -> usize {
        self.details.dimension.unwrap_or_default()
    }

    fn embed(&self, texts: &Texts) -> Result<Vec<f32>, ModelError> {
        self.rows(texts)
    }
}

impl Classifier for OnnxModel {
    fn labels(&self) -> &[String] {
        &self.details.labels
    }

    fn scores(&self, texts: &Texts) -> Result<Vec<f32>, ModelError> {
        self.rows(texts)
    }
}
