//! Why an export makes no model, or a model gives no result.

use lexstream_columns::model::{ModelError, Unusable};

use super::export::ExportError;
use crate::hub::HubError;
use crate::inference::{InferenceError, SignatureError};

/// Why an export makes no model.
#[derive(Debug, thiserror::Error)]
pub(super) enum OnnxError {
    /// An option that the task does not read.
    #[error("model `{model}`: `{option}` is an option of {}, and the task is {task}", tasks.join(", "))]
    OptionOfTask {
        model: String,
        option: &'static str,
        tasks: Vec<&'static str>,
        task: &'static str,
    },
    /// Rows that nothing reads.
    #[error("model `{0}`: a model of kind `onnx` is made of files; expected no AS query")]
    Query(String),
    /// The export lacks something.
    #[error("model `{model}`")]
    Export { model: String, source: ExportError },
    /// The Hub does not give it.
    #[error("model `{model}`")]
    Hub { model: String, source: HubError },
    /// Nothing says what the model does.
    #[error(
        "model `{model}`: the files don't tell what it does; `task` must be one of {}",
        super::task::names()
    )]
    Task { model: String },
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
    /// What sentence-transformers computes behind the graph, and Lexstream does not.
    #[error(
        "model `{model}`: modules.json has {module} behind the graph, which is not computed; export the whole model as one graph with the output sentence_embedding"
    )]
    Module { model: String, module: String },
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
        "model `{model}`: expected a tokenizer with ids below {expected} ({of}), found ids up to {}", found - 1
    )]
    Vocabulary {
        model: String,
        expected: u64,
        of: String,
        found: u64,
    },
    /// How a number becomes a score.
    #[error(
        "model `{model}`: config.json asks for the activation {found}, which is not there; `activation` must be one of none, sigmoid"
    )]
    Activation { model: String, found: String },
    /// How tokens become one vector.
    #[error(
        "model `{0}`: 1_Pooling/config.json asks for a pooling that is not there; `pooling` must be one of cls, last_token, max, mean"
    )]
    Pooling(String),
    /// The graph is no model of columns, or the columns are not what it takes.
    #[error("model `{model}`")]
    Signature {
        model: String,
        source: SignatureError,
    },
    /// The model makes something else than it made.
    #[error(
        "model `{model}` makes another result of a text than when it was made ({distance:.2} of its length apart); this machine or its ONNX Runtime does not run it rightly"
    )]
    Golden { model: String, distance: f32 },
    /// The model ran and failed.
    #[error("model `{model}`")]
    Run {
        model: String,
        source: InferenceError,
    },
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

impl OnnxError {
    /// Returns why a model gave no result, marked where it would give none for any row.
    pub(super) fn run(model: &str, source: InferenceError) -> ModelError {
        let may_be_of_a_row = source.may_be_of_a_row();
        let error = Self::Run {
            model: model.to_owned(),
            source,
        };
        if may_be_of_a_row {
            error.into()
        } else {
            Unusable::mark(error)
        }
    }
}
