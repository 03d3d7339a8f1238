//! `onnx`: a graph in ONNX Runtime, with its tokenizer, from a Hugging Face export.

mod error;
mod export;
mod graph;
mod graph_file;
mod predict;
mod task;
mod texts;

use std::path::PathBuf;
use std::sync::Arc;

use lexstream_columns::model::{Model, ModelError};

use self::error::OnnxError;
use self::export::Export;
use self::task::Task;
use crate::hub::{Hub, Snapshot};
use lexstream_environment as environment;
use lexstream_models::ModelCatalog;
use lexstream_models::kinds::{Kind, Made, OptionSpec, Request};
use lexstream_models::store::Stored;

/// The detail that says which commit of a repository was downloaded.
const COMMIT: &str = "commit";

/// The kind `onnx`.
///
/// A process loads one library of ONNX Runtime, at its first model.
#[derive(Debug, Default)]
pub struct OnnxKind {
    library: Option<PathBuf>,
}

impl OnnxKind {
    /// Returns the kind with ONNX Runtime's library in a given file.
    ///
    /// The default is what `ORT_DYLIB_PATH` says, else the library beside the executable, in the folder `onnxruntime`
    /// of the catalog's home, or where the system looks.
    pub fn with_library(library: impl Into<PathBuf>) -> Self {
        Self {
            library: Some(library.into()),
        }
    }

    /// Returns where the library may be, in the order of trying.
    fn runtime(&self, catalog: &ModelCatalog) -> Vec<PathBuf> {
        match &self.library {
            Some(library) => vec![library.clone()],
            None => environment::onnxruntime(catalog.home()),
        }
    }
}

impl Kind for OnnxKind {
    fn name(&self) -> &'static str {
        "onnx"
    }

    fn description(&self) -> &'static str {
        "A graph in ONNX Runtime, from a Hugging Face export as it is: `CREATE MODEL minilm WITH ('path' = 'models/all-MiniLM-L6-v2')`, then `embed('minilm', text)`, `classify`, `classify_scores`, `rerank`, `token_ids`, and its name is a tokenizer. The folder holds `model.onnx` (or `onnx/model.onnx`), `tokenizer.json` and `config.json`; `modules.json`, `1_Pooling/config.json`, `sentence_bert_config.json` and `tokenizer_config.json` are followed where they are there. Outputs of float32, float16 and bfloat16 are read, and give Float32; the tokenizer's ids are held against the graph's own table. A folder with nothing but a graph, or the path of an `.onnx` file, is any graph whose inputs have an axis for the rows of a batch: `predict('model', input, …)`. `'kind'` may be left out where `'path'` is given."
    }

    fn options(&self) -> &'static [OptionSpec] {
        &[
            OptionSpec {
                name: "activation",
                default: "the export's",
                description: "Classification and rerank: how the graph's numbers become scores: `none`, `sigmoid`, `softmax`.",
            },
            OptionSpec {
                name: "device",
                default: "auto",
                description: "Where it computes: `cpu`, `cuda` or `cuda:N` (an error where CUDA can't be used), or `auto`: when the model is made or altered, the first GPU where CUDA can be used, else the CPU; DESCRIBE MODEL says which it was (`made_on`), and there it stays: ALTER MODEL looks anew.",
            },
            OptionSpec {
                name: "dump_runs",
                default: "",
                description: "For debugging: a folder into which the token ids of every run are written, a file of JSON each.",
            },
            OptionSpec {
                name: "file",
                default: "",
                description: "Which graph of the folder, such as `model_quantized.onnx`.",
            },
            OptionSpec {
                name: "max_batch_rows",
                default: "256",
                description: "Predict: rows that a session takes at once.",
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
                name: "outputs",
                default: "all",
                description: "Predict: which of the graph's outputs, separated by commas.",
            },
            OptionSpec {
                name: "path",
                default: "",
                description: "The export's folder, or an `.onnx` file in it; `hf://owner/name[@revision]` downloads it from the Hugging Face Hub into its own cache (`HF_HOME`, `HF_ENDPOINT`, `HF_TOKEN` and `HF_HUB_OFFLINE` as the Hub's libraries know them), and the commit stays when the model is altered.",
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
                description: "What it does: `classification`, `embedding`, `predict` or `rerank`.",
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
        if request.rows.is_some() {
            return Err(OnnxError::Query(request.name.to_string()).into());
        }
        let downloaded = downloaded(&request)?;
        let path = match &downloaded {
            Some(snapshot) => Some(snapshot.folder.clone()),
            None => request.folder("path")?,
        };
        let Some(path) = path else {
            let expected = "the folder of an export, an .onnx file, or hf://owner/name";
            return Err(request.wrong("path", expected.to_owned()).into());
        };
        let export = Export::find(&path, request.text("file"));
        let export = export.map_err(|source| OnnxError::Export {
            model: request.name.to_string(),
            source,
        })?;
        let task = Task::of(&request, &path, &export)?;
        refuse_options_of_others(&request, task)?;
        let runtime = self.runtime(request.catalog);
        let (files, details) = match task {
            Task::Predict => predict::make(&request, &export, &runtime)?,
            Task::Classification | Task::Embedding | Task::Rerank => {
                texts::make(&request, &export, task, &runtime)?
            }
        };
        let serde_json::Value::Object(mut details) = details else {
            return Err("details are an object".into());
        };
        if let Some(snapshot) = downloaded {
            details.insert(COMMIT.to_owned(), snapshot.commit.into());
        }
        Ok(Made {
            task: Some(task.name().to_owned()),
            files,
            details: details.into_iter().collect(),
        })
    }

    fn open(&self, stored: Stored, catalog: &ModelCatalog) -> Result<Arc<dyn Model>, ModelError> {
        let runtime = self.runtime(catalog);
        Ok(
            match Task::named(stored.manifest.task.as_deref().unwrap_or_default()) {
                Some(Task::Predict) => predict::open(stored, &runtime)?,
                Some(task) => texts::open(stored, &runtime, task)?,
                None => {
                    return Err(OnnxError::Task { model: stored.id() }.into());
                }
            },
        )
    }
}

/// Refuses an option that the statement sets and the task does not read.
fn refuse_options_of_others(request: &Request<'_>, task: Task) -> Result<(), OnnxError> {
    use Task::{Classification, Embedding, Predict, Rerank};
    const OF_TEXTS: &[Task] = &[Classification, Embedding, Rerank];
    let of_tasks: [(&'static str, &[Task]); 9] = [
        ("activation", &[Classification, Rerank]),
        ("dump_runs", OF_TEXTS),
        ("max_batch_rows", &[Predict]),
        ("max_batch_tokens", OF_TEXTS),
        ("max_length", OF_TEXTS),
        ("normalize", &[Embedding]),
        ("outputs", &[Predict]),
        ("pooling", &[Embedding]),
        ("truncate", OF_TEXTS),
    ];
    let mut others = of_tasks.into_iter();
    match others.find(|(option, tasks)| request.is_set(option) && !tasks.contains(&task)) {
        Some((option, tasks)) => Err(OnnxError::OptionOfTask {
            model: request.name.to_string(),
            option,
            tasks: tasks.iter().map(|task| task.name()).collect(),
            task: task.name(),
        }),
        None => Ok(()),
    }
}

/// Brings a repository of the Hub into its cache where `path` names one; a model that is altered keeps its commit.
fn downloaded(request: &Request<'_>) -> Result<Option<Snapshot>, ModelError> {
    let Some(path) = request.text("path").filter(|path| Hub::is_path(path)) else {
        return Ok(None);
    };
    let commit = request.kept_detail("path", COMMIT);
    if let (Some(folder), Some(commit)) = (request.own_copy("path"), commit) {
        let commit = commit.to_owned();
        return Ok(Some(Snapshot { commit, folder }));
    }
    let settings = environment::hub();
    let failed = |source| OnnxError::Hub {
        model: request.name.to_string(),
        source,
    };
    let hub = Hub::new(&settings, request.progress());
    let listing = hub.list(path, commit).map_err(failed)?;
    let wanted = match &listing.files {
        Some(files) => export::wanted(&listing.name, files, request.text("file")),
        None => Ok(Vec::new()),
    };
    let wanted = wanted.map_err(|source| OnnxError::Export {
        model: request.name.to_string(),
        source,
    })?;
    let snapshot = hub.bring(&listing, &wanted).map_err(failed)?;
    let (Some(graph), Some(files)) = (wanted.first(), &listing.files) else {
        return Ok(Some(snapshot));
    };
    let data = export::graph_file(&snapshot.folder, graph)
        .and_then(|about| export::data_of(&snapshot.folder, graph, &about));
    let mut data = data.map_err(|source| OnnxError::Export {
        model: request.name.to_string(),
        source,
    })?;
    // One that the repository lacks is missed where the export is looked at.
    data.retain(|name| files.contains(name));
    if data.is_empty() {
        return Ok(Some(snapshot));
    }
    let all = [wanted, data].concat();
    Ok(Some(hub.bring(&listing, &all).map_err(failed)?))
}
