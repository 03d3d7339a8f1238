//! `tfidf`: the terms of a corpus and how rare each is, from the rows of a query.

mod fit;
mod rules;
mod vocabulary_file;

use std::sync::Arc;

use lexstream_columns::model::{Ability, Model, ModelError, Models, Unable, Weighed};
use lexstream_text::tfidf::{FitError, Vectorizer, Vocabulary};
use lexstream_text::tokenizers::Tokenizer;
use serde_json::{Value, json};

use self::rules::Rules;
use super::{Kind, Lazy, Made, ModelCatalog, OptionError, OptionSpec, Request};
use crate::store::{Stored, TOKENIZER_DIGEST};
use crate::training::{ColumnSpec, Columns, History, Holds, Workers};

/// The kind `tfidf`.
#[derive(Debug)]
pub(super) struct TfidfKind;

/// The role of the file that the corpus becomes, and its name.
const VOCABULARY: (&str, &str) = ("vocabulary", "vocabulary.arrow");

/// The column of the query.
const COLUMNS: &[ColumnSpec] = &[ColumnSpec::required(
    "document",
    &[Holds::Text, Holds::Tokens],
)];

/// The option that may name a model.
const TOKENIZER: &str = "tokenizer";

/// Why a corpus makes no model.
#[derive(Debug, thiserror::Error)]
enum TfidfError {
    /// No query.
    #[error("model `{0}`: expected AS query, which gives the texts of the corpus")]
    NoRows(String),
    /// The corpus has no vocabulary.
    #[error("model `{model}`: {source}")]
    Fit { model: String, source: FitError },
    /// An option that the terms depend on was altered.
    #[error(
        "model `{model}`: `{option}` changes the terms, which are counted over the corpus; CREATE OR REPLACE MODEL … AS query counts them anew"
    )]
    NeedsCorpus { model: String, option: String },
    /// The model that cuts texts is gone.
    #[error(
        "model `{model}`: expected its tokenizer, model `{tokenizer}`, as it was when the terms were counted, found {found}"
    )]
    Tokenizer {
        model: String,
        tokenizer: String,
        found: String,
    },
}

impl Kind for TfidfKind {
    fn name(&self) -> &'static str {
        "tfidf"
    }

    fn description(&self) -> &'static str {
        "The terms of a corpus and in how many of its texts each occurs: `CREATE MODEL news WITH ('kind' = 'tfidf') AS SELECT text FROM 'corpus/*.parquet'`, then `tfidf('news', text)`, `tfidf_terms`, `count_vector`, `bm25`, and `vocabulary('news')` in FROM. The query has one column, of texts or of lists of tokens; NULLs are left out. Options are named as scikit-learn's TfidfVectorizer names them, and agree with it: vocabulary, vectors and all. The corpus is read once, on all cores; memory is for its distinct terms, not for the texts. ALTER MODEL changes what only weights depend on: `b`, `formula`, `k1`, `norm`, `smooth_idf`, `sublinear_tf`, `use_idf`."
    }

    fn options(&self) -> &'static [OptionSpec] {
        rules::OPTIONS
    }

    fn make(&self, mut request: Request<'_>) -> Result<Made, ModelError> {
        let model = request.name.to_string();
        let wrong = |request: &Request<'_>, wrong: rules::Wrong| -> OptionError {
            request.wrong(wrong.option, wrong.expected)
        };
        let Some(rows) = request.rows.take() else {
            return alter(&request, &model);
        };
        let columns = Columns::find(&model, COLUMNS, &rows.schema)?;
        let weighed = match columns.get(0).map(|column| column.holds) {
            Some(Holds::Tokens) => Weighed::Tokens,
            _ => Weighed::Texts,
        };
        let cut_by = cut_by(&request)?;
        let tokenizer = match &cut_by {
            Some((model, _)) => Some(model.tokenizer()?),
            None => None,
        };
        let rules = Rules::of(request.options, weighed, tokenizer)
            .map_err(|found| wrong(&request, found))?;
        let workers = Workers::new(None, request.progress());
        let counts = fit::count(rows, &rules.analyzer(), workers)?;
        let vocabulary = Vocabulary::fit(&counts, &rules.limits)
            .map_err(|source| TfidfError::Fit { model, source })?;
        drop(counts);
        let (role, name) = VOCABULARY;
        let file = request
            .draft
            .write(role, name, &vocabulary_file::write(&vocabulary)?)?;
        let history = history(&vocabulary).write(request.draft)?;
        let input = match weighed {
            Weighed::Texts => "texts",
            Weighed::Tokens => "tokens",
        };
        let mut details = vec![
            ("documents", json!(vocabulary.documents())),
            ("input", json!(input)),
            ("mean_length", json!(vocabulary.mean_length())),
            ("terms", json!(vocabulary.len())),
        ];
        if let Some((model, digest)) = cut_by {
            let id = model.id().to_owned();
            request.options.insert(TOKENIZER.to_owned(), id);
            details.push((TOKENIZER_DIGEST, json!(digest)));
        }
        let details = details.into_iter();
        Ok(Made {
            task: None,
            files: vec![file, history],
            details: details
                .map(|(key, value)| (key.to_owned(), value))
                .collect(),
        })
    }

    fn open(&self, stored: Stored, catalog: &ModelCatalog) -> Result<Arc<dyn Model>, ModelError> {
        Ok(Arc::new(TfidfModel {
            id: stored.id(),
            weighed: weighed_of(&stored)?,
            tokenizer: cut_by_again(&stored, catalog)?,
            stored,
            vectorizer: Lazy::default(),
        }))
    }
}

/// The model that cuts texts, and its pin.
type CutBy = (Arc<dyn Model>, String);

/// Returns the model that `tokenizer` names and its pin, where it names one.
fn cut_by(request: &Request<'_>) -> Result<Option<CutBy>, ModelError> {
    let Some(name) = request.text(TOKENIZER).filter(|name| rules::is_model(name)) else {
        return Ok(None);
    };
    match request.catalog.open(name) {
        Ok(model) if model.can_tokenize() => {
            let digest = request.catalog.stored(model.id())?.manifest.pin();
            Ok(Some((model, digest)))
        }
        Ok(model) => Err(Unable::new(model.id(), model.kind(), Ability::Tokenize).into()),
        // What is no model either may be a built-in one, misspelt: the rules list them.
        Err(_)
            if request
                .catalog
                .stored(name)
                .is_err_and(|error| error.is_unknown()) =>
        {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Returns the model that cuts texts for a version, where one does; another under its name is refused.
fn cut_by_again(
    stored: &Stored,
    catalog: &ModelCatalog,
) -> Result<Option<Arc<dyn Model>>, ModelError> {
    let manifest = &stored.manifest;
    let Some(name) = manifest
        .options
        .get(TOKENIZER)
        .filter(|name| rules::is_model(name))
    else {
        return Ok(None);
    };
    let lost = |found: String| TfidfError::Tokenizer {
        model: stored.id(),
        tokenizer: name.clone(),
        found,
    };
    let digest = manifest.details.get(TOKENIZER_DIGEST);
    let found = catalog
        .stored(name)
        .map_err(|error| lost(error.to_string()))?;
    if digest.and_then(Value::as_str) != Some(found.manifest.pin().as_str()) {
        return Err(lost("another model of this name and version".to_owned()).into());
    }
    Ok(Some(catalog.open(name)?))
}

/// Makes a version with other weights over the terms of the one before.
fn alter(request: &Request<'_>, model: &str) -> Result<Made, ModelError> {
    let Some(previous) = request.previous else {
        return Err(TfidfError::NoRows(model.to_owned()).into());
    };
    let mut set = request.set.iter();
    if let Some(option) = set.find(|option| rules::changes_terms(option)) {
        return Err(TfidfError::NeedsCorpus {
            model: model.to_owned(),
            option: option.clone(),
        }
        .into());
    }
    // The tokenizer stays, and no other option depends on which it is.
    let tokenizer = cut_by_again(previous, request.catalog)?;
    let tokenizer = tokenizer.map(|model| model.tokenizer()).transpose()?;
    Rules::of(request.options, weighed_of(previous)?, tokenizer)
        .map_err(|wrong| request.wrong(wrong.option, wrong.expected))?;
    let vocabulary = request.keep(VOCABULARY.0)?;
    let history = History::keep(request)?;
    Ok(Made {
        task: None,
        files: vocabulary.into_iter().chain(history).collect(),
        details: previous.manifest.details.clone(),
    })
}

/// Returns what one pass over the corpus has found.
fn history(vocabulary: &Vocabulary) -> History {
    let mut history = History::default();
    history.record(1, "documents", vocabulary.documents() as f64);
    history.record(1, "mean_length", vocabulary.mean_length());
    history.record(1, "terms", vocabulary.len() as f64);
    history
}

/// Returns what a version was made of.
fn weighed_of(stored: &Stored) -> Result<Weighed, ModelError> {
    match stored.manifest.details.get("input").and_then(Value::as_str) {
        Some("texts") => Ok(Weighed::Texts),
        Some("tokens") => Ok(Weighed::Tokens),
        other => Err(format!(
            "model `{}`: expected `input` in the manifest to be `texts` or `tokens`, found {other:?}",
            stored.id()
        )
        .into()),
    }
}

#[derive(Debug)]
struct TfidfModel {
    id: String,
    stored: Stored,
    weighed: Weighed,
    /// What cuts texts, where it is a model.
    tokenizer: Option<Arc<dyn Model>>,
    vectorizer: Lazy<Vectorizer>,
}

impl Model for TfidfModel {
    fn id(&self) -> &str {
        &self.id
    }

    fn kind(&self) -> &str {
        TfidfKind.name()
    }

    fn weighs(&self) -> Option<Weighed> {
        Some(self.weighed)
    }

    fn vectorizer(&self) -> Result<Arc<Vectorizer>, ModelError> {
        self.vectorizer.load(|| {
            let tokenizer = self.tokenizer.as_ref().map(|model| model.tokenizer());
            load(&self.stored, self.weighed, tokenizer.transpose()?)
        })
    }
}

fn load(
    stored: &Stored,
    weighed: Weighed,
    tokenizer: Option<Arc<dyn Tokenizer>>,
) -> Result<Vectorizer, ModelError> {
    let manifest = &stored.manifest;
    let missing = |what: &str| {
        format!(
            "model `{}`: expected `{what}` in the manifest, found none",
            stored.id()
        )
    };
    let rules = Rules::of(&manifest.options, weighed, tokenizer).map_err(|wrong| {
        format!(
            "model `{}`: `{}` must be {}",
            stored.id(),
            wrong.option,
            wrong.expected
        )
    })?;
    let detail = |name: &str| manifest.details.get(name);
    let documents = detail("documents").and_then(Value::as_u64);
    let mean_length = detail("mean_length").and_then(Value::as_f64);
    let file = manifest.file(VOCABULARY.0);
    let vocabulary = vocabulary_file::read(
        stored.read(file.ok_or_else(|| missing(VOCABULARY.0))?)?,
        documents.ok_or_else(|| missing("documents"))?,
        mean_length.ok_or_else(|| missing("mean_length"))?,
    );
    let vocabulary = vocabulary.map_err(|error| format!("model `{}`: {error}", stored.id()))?;
    Ok(Vectorizer::new(
        rules.analyzer(),
        vocabulary,
        rules.formula,
        rules.limits.binary,
        rules.bm25,
    ))
}
