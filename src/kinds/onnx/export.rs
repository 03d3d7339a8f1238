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
            (path.to_owned(), graph_in(path, file)?)
        } else {
            return Err(ExportError::Missing(path.to_owned()));
        };
        let there = |name: &str| folder.join(name).is_file();
        let settings = [CONFIG, MODULES, POOLING, SENTENCE];
        Ok(Self {
            data: data_of(&folder, &graph)?,
            tokenizer: there(TOKENIZER).then(|| TOKENIZER.to_owned()),
            settings: settings
                .into_iter()
                .filter(|name| there(name))
                .map(str::to_owned)
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

/// Finds the graph of a folder.
fn graph_in(folder: &Path, file: Option<&str>) -> Result<String, ExportError> {
    let mut graphs = names(folder, "")?;
    graphs.extend(names(folder, "onnx/")?);
    let weights = graphs
        .iter()
        .find(|name| name.ends_with(".safetensors") || name.ends_with("pytorch_model.bin"));
    let weights = weights.cloned();
    graphs.retain(|name| name.ends_with(".onnx"));
    let found = match graphs.as_slice() {
        [] => "none".to_owned(),
        graphs => graphs.join(", "),
    };
    if let Some(file) = file {
        let wanted = [file.to_owned(), format!("onnx/{file}")];
        let graph = wanted.into_iter().find(|name| folder.join(name).is_file());
        return graph.ok_or_else(|| ExportError::NoFile {
            folder: folder.to_owned(),
            file: file.to_owned(),
            found,
        });
    }
    let usual = ["model.onnx", "onnx/model.onnx"];
    if let Some(graph) = usual
        .iter()
        .find(|name| graphs.iter().any(|graph| graph == *name))
    {
        return Ok((*graph).to_owned());
    }
    match (graphs.as_slice(), weights) {
        ([graph], _) => Ok(graph.clone()),
        ([], Some(weights)) => Err(ExportError::Weights {
            folder: folder.to_owned(),
            weights,
        }),
        _ => Err(ExportError::NoGraph {
            folder: folder.to_owned(),
            found: match graphs.len() {
                0 => found,
                _ => format!("{found}; 'file' picks one"),
            },
        }),
    }
}

/// Finds the files that hold the large tensors of a graph: `model.onnx_data`, `model.onnx.data` and their like.
fn data_of(folder: &Path, graph: &str) -> Result<Vec<String>, ExportError> {
    let (within, name) = graph
        .rsplit_once('/')
        .map_or(("", graph), |(within, name)| (within, name));
    let prefix = if within.is_empty() {
        String::new()
    } else {
        format!("{within}/")
    };
    let stem = name.trim_end_matches(".onnx");
    let mut data = names(folder, &prefix)?;
    data.retain(|path| {
        let name = &path[prefix.len()..];
        name.starts_with(&format!("{stem}.onnx_data"))
            || name.starts_with(&format!("{stem}.onnx.data"))
            || name == format!("{stem}.data")
    });
    Ok(data)
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
