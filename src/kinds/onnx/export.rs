//! A Hugging Face export: which files there are, and what they say.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;

/// Why a folder is no export.
#[derive(Debug, thiserror::Error)]
pub(super) enum ExportError {
    /// There is nothing at the path.
    #[error("{}: no such file or folder", .0.display())]
    Missing(PathBuf),
    /// The folder has weights and no graph.
    #[error(
        "{}: expected an ONNX graph (model.onnx or onnx/model.onnx), found {weights}; export it with `optimum-cli export onnx --model {} onnx/`",
        folder.display(), folder.display()
    )]
    Weights { folder: PathBuf, weights: String },
    /// The folder has no graph.
    #[error("{}: expected an ONNX graph (model.onnx or onnx/model.onnx), found {found}", folder.display())]
    NoGraph { folder: PathBuf, found: String },
    /// `file` names nothing.
    #[error("{}: no graph `{file}`; there is {found}", folder.display())]
    NoFile {
        folder: PathBuf,
        file: String,
        found: String,
    },
    /// The folder has no tokenizer.
    #[error("{}: expected tokenizer.json beside the graph, which the task needs", .0.display())]
    NoTokenizer(PathBuf),
    /// A file of the export is not what it should be.
    #[error("{}", path.display())]
    File {
        path: PathBuf,
        source: serde_json::Error,
    },
    /// A file can't be read.
    #[error("could not read {}", path.display())]
    Read {
        path: PathBuf,
        source: std::io::Error,
    },
}

/// What is in an export's folder; paths are relative to it.
#[derive(Debug)]
pub(super) struct Export {
    pub(super) folder: PathBuf,
    pub(super) graph: String,
    /// Files with the graph's large tensors.
    pub(super) data: Vec<String>,
    pub(super) tokenizer: Option<String>,
    /// Which of the small files there are, and so belong to the model.
    pub(super) settings: Vec<String>,
    pub(super) config: Config,
    pub(super) sentence: SentenceConfig,
    pub(super) pooling: Option<PoolingConfig>,
    pub(super) modules: Option<Vec<Module>>,
}

/// `config.json`, as transformers writes it.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Config {
    #[serde(default)]
    pub(super) architectures: Vec<String>,
    #[serde(default)]
    pub(super) id2label: BTreeMap<String, String>,
    pub(super) problem_type: Option<String>,
    pub(super) max_position_embeddings: Option<usize>,
    pub(super) vocab_size: Option<usize>,
    pub(super) num_labels: Option<usize>,
    #[serde(default)]
    pub(super) sentence_transformers: CrossEncoderConfig,
    /// What sentence-transformers wrote before version 4.
    pub(super) sbert_ce_default_activation_function: Option<String>,
}

/// What `config.json` holds of a cross-encoder, as sentence-transformers writes it.
#[derive(Debug, Default, Deserialize)]
pub(super) struct CrossEncoderConfig {
    pub(super) activation_fn: Option<String>,
}

/// `sentence_bert_config.json`, as sentence-transformers writes it.
#[derive(Debug, Default, Deserialize)]
pub(super) struct SentenceConfig {
    pub(super) max_seq_length: Option<usize>,
}

/// `1_Pooling/config.json`, as sentence-transformers writes it.
#[derive(Debug, Default, Deserialize)]
pub(super) struct PoolingConfig {
    #[serde(default)]
    pub(super) pooling_mode_cls_token: bool,
    #[serde(default)]
    pub(super) pooling_mode_mean_tokens: bool,
    #[serde(default)]
    pub(super) pooling_mode_max_tokens: bool,
    #[serde(default)]
    pub(super) pooling_mode_lasttoken: bool,
    #[serde(default)]
    pub(super) pooling_mode_mean_sqrt_len_tokens: bool,
    #[serde(default)]
    pub(super) pooling_mode_weightedmean_tokens: bool,
}

/// An entry of `modules.json`, as sentence-transformers writes it.
#[derive(Debug, Deserialize)]
pub(super) struct Module {
    pub(super) r#type: String,
}

const CONFIG: &str = "config.json";
const MODULES: &str = "modules.json";
const POOLING: &str = "1_Pooling/config.json";
const SENTENCE: &str = "sentence_bert_config.json";
const TOKENIZER: &str = "tokenizer.json";
const SETTINGS: &[&str] = &[CONFIG, MODULES, POOLING, SENTENCE];

impl Export {
    /// Finds the files of a folder, or of the folder that a graph lies in.
    pub(super) fn find(path: &Path, file: Option<&str>) -> Result<Self, ExportError> {
        let (folder, graph) = if path.is_file() {
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            let folder = path.parent().unwrap_or(Path::new("/")).to_owned();
            (folder, name)
        } else if path.is_dir() {
            let graph = graph_of(&files(path)?, file);
            (path.to_owned(), graph.map_err(|none| none.of(path))?)
        } else {
            return Err(ExportError::Missing(path.to_owned()));
        };
        let there = |name: &str| folder.join(name).is_file();
        Ok(Self {
            data: data_of(&files(&folder)?, &graph),
            tokenizer: there(TOKENIZER).then(|| TOKENIZER.to_owned()),
            settings: SETTINGS
                .iter()
                .filter(|name| there(name))
                .map(|name| (*name).to_owned())
                .collect(),
            config: read(&folder, CONFIG)?.unwrap_or_default(),
            sentence: read(&folder, SENTENCE)?.unwrap_or_default(),
            pooling: read(&folder, POOLING)?,
            modules: read(&folder, MODULES)?,
            folder,
            graph,
        })
    }

    /// Returns the labels in the order of their ids.
    pub(super) fn labels(&self) -> Vec<String> {
        let mut labels: Vec<_> = self
            .config
            .id2label
            .iter()
            .filter_map(|(id, label)| Some((id.parse::<usize>().ok()?, label.clone())))
            .collect();
        labels.sort_unstable();
        labels.into_iter().map(|(_, label)| label).collect()
    }
}

/// Why no graph can be picked.
enum NoGraph {
    /// `file` names none.
    File { file: String, found: String },
    /// There are weights, and no graph.
    Weights(String),
    /// There is none, or several.
    Which(String),
}

impl NoGraph {
    fn of(self, folder: &Path) -> ExportError {
        let folder = folder.to_owned();
        match self {
            Self::File { file, found } => ExportError::NoFile {
                folder,
                file,
                found,
            },
            Self::Weights(weights) => ExportError::Weights { folder, weights },
            Self::Which(found) => ExportError::NoGraph { folder, found },
        }
    }
}

/// Picks the graph among the files of an export.
fn graph_of(files: &[String], file: Option<&str>) -> Result<String, NoGraph> {
    let is_near = |name: &&String| {
        let name = name.strip_prefix("onnx/").unwrap_or(name);
        !name.contains('/')
    };
    let weights = files
        .iter()
        .filter(is_near)
        .find(|name| name.ends_with(".safetensors") || name.ends_with("pytorch_model.bin"));
    let graphs: Vec<_> = files
        .iter()
        .filter(is_near)
        .filter(|name| name.ends_with(".onnx"))
        .map(String::as_str)
        .collect();
    let found = match graphs.as_slice() {
        [] => "none".to_owned(),
        graphs => graphs.join(", "),
    };
    if let Some(file) = file {
        let wanted = [file.to_owned(), format!("onnx/{file}")];
        let graph = wanted.into_iter().find(|name| files.contains(name));
        return graph.ok_or_else(|| NoGraph::File {
            file: file.to_owned(),
            found,
        });
    }
    let usual = ["model.onnx", "onnx/model.onnx"];
    if let Some(graph) = usual.iter().find(|name| graphs.contains(name)) {
        return Ok((*graph).to_owned());
    }
    match (graphs.as_slice(), weights) {
        ([graph], _) => Ok((*graph).to_owned()),
        ([], Some(weights)) => Err(NoGraph::Weights(weights.clone())),
        ([], None) => Err(NoGraph::Which(found)),
        _ => Err(NoGraph::Which(format!("{found}; 'file' picks one"))),
    }
}

/// Finds the files that hold the large tensors of a graph: `model.onnx_data`, `model.onnx.data` and their like.
fn data_of(files: &[String], graph: &str) -> Vec<String> {
    let stem = graph.trim_end_matches(".onnx");
    let is_data = |path: &&String| {
        path.starts_with(&format!("{stem}.onnx_data"))
            || path.starts_with(&format!("{stem}.onnx.data"))
            || **path == format!("{stem}.data")
    };
    files.iter().filter(is_data).cloned().collect()
}

/// Returns which files of a repository belong to its export.
pub(super) fn wanted(
    repository: &str,
    files: &[String],
    file: Option<&str>,
) -> Result<Vec<String>, ExportError> {
    let graph = graph_of(files, file).map_err(|none| none.of(Path::new(repository)))?;
    let mut wanted = data_of(files, &graph);
    wanted.push(graph);
    let small = SETTINGS.iter().chain([&TOKENIZER]);
    let small = small.map(|name| (*name).to_owned());
    wanted.extend(small.filter(|name| files.contains(name)));
    Ok(wanted)
}

/// Returns the files of a folder and of `onnx/` in it, each sorted.
fn files(folder: &Path) -> Result<Vec<String>, ExportError> {
    let mut files = names(folder, "")?;
    files.extend(names(folder, "onnx/")?);
    Ok(files)
}

/// Returns the files in a folder within, sorted; none where there is no such folder.
fn names(folder: &Path, within: &str) -> Result<Vec<String>, ExportError> {
    let path = folder.join(within);
    let entries = match fs::read_dir(&path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(ExportError::Read { path, source }),
    };
    let mut names: Vec<_> = entries
        .flatten()
        .filter(|entry| entry.path().is_file())
        .map(|entry| format!("{within}{}", entry.file_name().to_string_lossy()))
        .collect();
    names.sort_unstable();
    Ok(names)
}

/// Reads a JSON file of the export; none where it is not there.
fn read<T: DeserializeOwned>(folder: &Path, name: &str) -> Result<Option<T>, ExportError> {
    let path = folder.join(name);
    let text = match fs::read(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(ExportError::Read { path, source }),
    };
    match serde_json::from_slice(&text) {
        Ok(value) => Ok(Some(value)),
        Err(source) => Err(ExportError::File { path, source }),
    }
}
