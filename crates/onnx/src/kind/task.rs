//! What a graph is used for.

use std::path::Path;

use lexstream_columns::model::ModelError;

use super::error::OnnxError;
use super::export::Export;
use lexstream_models::kinds::Request;

/// What a graph is used for; each is the option `task` by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Task {
    /// Labels of a text.
    Classification,
    /// A vector of a text.
    Embedding,
    /// Whatever the graph computes of columns.
    Predict,
    /// A score of a query and a text.
    Rerank,
}

const TASKS: &[(&str, Task)] = &[
    ("classification", Task::Classification),
    ("embedding", Task::Embedding),
    ("predict", Task::Predict),
    ("rerank", Task::Rerank),
];

/// Returns the names of all tasks, as messages show them.
pub(super) fn names() -> String {
    let names: Vec<_> = TASKS.iter().map(|(name, _)| *name).collect();
    names.join(", ")
}

impl Task {
    pub(super) fn name(self) -> &'static str {
        let task = TASKS.iter().find(|(_, task)| *task == self);
        task.expect("every task is in the list").0
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        let task = TASKS.iter().find(|(known, _)| *known == name);
        task.map(|(_, task)| *task)
    }

    /// Returns what the options say the model does, else what the files do.
    pub(super) fn of(
        request: &Request<'_>,
        path: &Path,
        export: &Export,
    ) -> Result<Self, ModelError> {
        if request.text("task").is_some() {
            return Ok(request.choice("task", TASKS, Self::Embedding)?);
        }
        let is_a = |suffix: &str| {
            let architectures = &export.config.architectures;
            architectures.iter().any(|name| name.ends_with(suffix))
        };
        let is_alone = export.tokenizer.is_none() && export.settings.is_empty();
        if path.is_file() || is_alone {
            Ok(Self::Predict)
        } else if export.pooling.is_some() || export.modules.is_some() {
            Ok(Self::Embedding)
        } else if is_a("ForSequenceClassification") {
            // One number of a pair is how well they fit.
            let one = export.config.id2label.len() == 1 || export.config.num_labels == Some(1);
            Ok(if one {
                Self::Rerank
            } else {
                Self::Classification
            })
        } else if is_a("Model") {
            Ok(Self::Embedding)
        } else {
            Err(OnnxError::Task {
                model: request.name.to_string(),
            }
            .into())
        }
    }
}
