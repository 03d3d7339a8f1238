//! A Hugging Face export: which files there are, and what they say.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Component, Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::graph_file::GraphFile;

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
    /// A file that the graph names is not there.
    #[error("{}: its tensors are in `{data}`, and there is no such file beside it", graph.display())]
    NoData { graph: PathBuf, data: String },
    /// The graph names a file that is not below its folder.
    #[error("{}: expected its tensors in files beside it, found `{data}`", graph.display())]
    DataOutside { graph: PathBuf, data: String },
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
    /// The table of vectors that token ids are looked up in, and its rows, where the graph has one.
    pub(super) table: Option<(String, u64)>,
    pub(super) tokenizer: Option<String>,
    /// Which of the small files there are, and so belong to the model.
    pub(super) settings: Vec<String>,
    pub(super) config: Config,
    pub(super) sentence: SentenceConfig,
    pub(super) tokenizer_config: TokenizerConfig,
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
    pub(super) model_type: Option<String>,
    pub(super) max_position_embeddings: Option<usize>,
    pub(super) pad_token_id: Option<usize>,
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

/// `tokenizer_config.json`, as transformers writes it.
#[derive(Debug, Default, Deserialize)]
pub(super) struct TokenizerConfig {
    /// A number that no text reaches where there is no limit.
    pub(super) model_max_length: Option<f64>,
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
const TOKENIZER_CONFIG: &str = "tokenizer_config.json";
const SETTINGS: &[&str] = &[CONFIG, MODULES, POOLING, SENTENCE, TOKENIZER_CONFIG];

/// Models that number positions from behind the padding's id: so many fewer tokens fit.
const POSITIONS_BEHIND_PADDING: &[&str] = &[
    "camembert",
    "data2vec-text",
    "ibert",
    "longformer",
    "mpnet",
    "roberta",
    "roberta-prelayernorm",
    "xlm-roberta",
    "xlm-roberta-xl",
    "xmod",
];

/// The graph's input that takes the ids of tokens.
const TOKEN_IDS: &str = "input_ids";

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
        let about = graph_file(&folder, &graph)?;
        let data = data_of(&folder, &graph, &about)?;
        if let Some(missing) = data.iter().find(|name| !there(name)) {
            return Err(ExportError::NoData {
                graph: folder.join(&graph),
                data: missing.clone(),
            });
        }
        Ok(Self {
            data,
            table: about
                .table(TOKEN_IDS)
                .map(|(name, rows)| (name.to_owned(), rows)),
            tokenizer: there(TOKENIZER).then(|| TOKENIZER.to_owned()),
            settings: SETTINGS
                .iter()
                .filter(|name| there(name))
                .map(|name| (*name).to_owned())
                .collect(),
            config: read(&folder, CONFIG)?.unwrap_or_default(),
            sentence: read(&folder, SENTENCE)?.unwrap_or_default(),
            tokenizer_config: read(&folder, TOKENIZER_CONFIG)?.unwrap_or_default(),
            pooling: read(&folder, POOLING)?,
            modules: read(&folder, MODULES)?,
            folder,
            graph,
        })
    }

    /// Returns how many tokens the graph has positions for, where the export tells.
    pub(super) fn positions(&self) -> Option<usize> {
        let config = &self.config;
        let positions = config.max_position_embeddings?;
        let model_type = config.model_type.as_deref().unwrap_or_default();
        Some(match POSITIONS_BEHIND_PADDING.contains(&model_type) {
            true => positions.saturating_sub(config.pad_token_id.unwrap_or(1) + 1),
            false => positions,
        })
    }

    /// Returns how many tokens a text has at most, where the export tells.
    pub(super) fn max_length(&self) -> Option<usize> {
        let of_tokenizer = self.tokenizer_config.model_max_length;
        // 10^30 stands for none.
        let of_tokenizer = of_tokenizer.filter(|length| (1.0..1e9).contains(length));
        let of_tokenizer = of_tokenizer.map(|length| length as usize);
        let said = self.sentence.max_seq_length.or(of_tokenizer);
        said.into_iter().chain(self.positions()).min()
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

/// Reads what a graph's file says.
pub(super) fn graph_file(folder: &Path, graph: &str) -> Result<GraphFile, ExportError> {
    let path = folder.join(graph);
    GraphFile::read(&path).map_err(|source| ExportError::Read { path, source })
}

/// Returns the files that hold the large tensors of a graph, relative to the export's folder.
pub(super) fn data_of(
    folder: &Path,
    graph: &str,
    about: &GraphFile,
) -> Result<Vec<String>, ExportError> {
    let within = graph.rfind('/').map_or("", |end| &graph[..=end]);
    let name = |location: &String| {
        let plain = location.trim_start_matches("./");
        let mut parts = Path::new(plain).components();
        // Nothing outside of the graph's folder belongs to it.
        match !plain.is_empty() && parts.all(|part| matches!(part, Component::Normal(_))) {
            true => Ok(format!("{within}{plain}")),
            false => Err(ExportError::DataOutside {
                graph: folder.join(graph),
                data: location.clone(),
            }),
        }
    };
    about.locations.iter().map(name).collect()
}

/// Returns which files of a repository belong to its export, the graph first; the graph names those of its tensors.
pub(super) fn wanted(
    repository: &str,
    files: &[String],
    file: Option<&str>,
) -> Result<Vec<String>, ExportError> {
    let graph = graph_of(files, file).map_err(|none| none.of(Path::new(repository)))?;
    let mut wanted = vec![graph];
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
