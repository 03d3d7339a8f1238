//! A tokenizer `regex:…` as the model that a call names.

use std::sync::Arc;

use lexstream_columns::model::{Model, ModelError};
use lexstream_text::tokenizers::{Pattern, Tokenizer};

/// A pattern, compiled once for the calls of a plan: planning finds it where it finds models.
#[derive(Debug)]
pub(super) struct PatternModel {
    name: String,
    pattern: Arc<Pattern>,
}

impl PatternModel {
    /// Returns the tokenizer that a name such as `regex:\w+` says; none where the name does not begin so.
    pub(super) fn named(name: &str) -> Option<Result<Self, regex::Error>> {
        let pattern = Pattern::named(name)?;
        Some(pattern.map(|pattern| Self {
            name: name.to_owned(),
            pattern: Arc::new(pattern),
        }))
    }
}

impl Model for PatternModel {
    fn id(&self) -> &str {
        &self.name
    }

    fn kind(&self) -> &'static str {
        "regex"
    }

    fn can_tokenize(&self) -> bool {
        true
    }

    fn tokenizer(&self) -> Result<Arc<dyn Tokenizer>, ModelError> {
        Ok(Arc::clone(&self.pattern) as _)
    }
}
