//! How functions reach models: by name, through these traits.

use std::cell::RefCell;
use std::error::Error;
use std::fmt::{self, Debug};
use std::ops::AddAssign;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;

use crate::Texts;
use lexstream_text::pos_tags::PosTagger;
use lexstream_text::tfidf::Vectorizer;
use lexstream_text::tokenizers::Tokenizer;

/// Why a model can't be used: in words that name the model, what was expected and what was found.
pub type ModelError = Box<dyn Error + Send + Sync>;

/// Finds models by name.
pub trait Models: Debug + Send + Sync {
    /// Returns the newest version of `name`, or the one that `name@version` says; names are compared without case.
    ///
    /// Planning calls it, several times a query: it reads what the model says of itself, and loads nothing.
    ///
    /// # Errors
    /// Fails where there is no such model or version, or what it says of itself can't be read.
    fn open(&self, name: &str) -> Result<Arc<dyn Model>, ModelError>;

    /// Returns the names of all models, alphabetical, for suggestions; none where they can't be read.
    fn names(&self) -> Vec<String>;
}

/// One version of a model.
pub trait Model: Debug + Send + Sync {
    /// Returns `name@version`, which [`Models::open`] opens again.
    fn id(&self) -> &str;

    /// Returns what kind of model it is, such as `jieba` or `onnx classification`, for messages.
    fn kind(&self) -> &str;

    /// Returns what its runs have cost since it was opened, of all callers together; nothing where it has none.
    fn figures(&self) -> Figures {
        Figures::default()
    }

    /// Returns the vectors that the model makes of texts, where it makes any; loads nothing.
    fn embedder(&self) -> Option<&dyn Embedder> {
        None
    }

    /// Returns the labels that the model gives to texts, where it gives any; loads nothing.
    fn classifier(&self) -> Option<&dyn Classifier> {
        None
    }

    /// Returns what the model computes from columns, where it takes any; loads nothing.
    fn predictor(&self) -> Option<&dyn Predictor> {
        None
    }

    /// Returns how well texts answer queries, where the model says so; loads nothing.
    fn reranker(&self) -> Option<&dyn Reranker> {
        None
    }

    /// Tells whether the model can cut texts into tokens; loads nothing.
    fn can_tokenize(&self) -> bool {
        false
    }

    /// Returns the model's tokenizer; the first call loads it.
    ///
    /// # Errors
    /// Fails where the model does not tokenize ([`Unable`]) or can't be loaded.
    fn tokenizer(&self) -> Result<Arc<dyn Tokenizer>, ModelError> {
        Err(Unable::new(self.id(), self.kind(), Ability::Tokenize).into())
    }

    /// Tells whether the model knows parts of speech; loads nothing.
    fn can_tag(&self) -> bool {
        false
    }

    /// Returns what gives words their parts of speech; the first call loads it.
    ///
    /// # Errors
    /// Fails where the model does not tag words ([`Unable`]) or can't be loaded.
    fn pos_tagger(&self) -> Result<PosTagger, ModelError> {
        Err(Unable::new(self.id(), self.kind(), Ability::Tag).into())
    }

    /// Returns what the model weighs the terms of, where it does; loads nothing.
    fn weighs(&self) -> Option<Weighed> {
        None
    }

    /// Returns what weighs terms by the corpus that the model was made of; the first call loads it.
    ///
    /// # Errors
    /// Fails where the model does not weigh terms ([`Unable`]) or can't be loaded.
    fn vectorizer(&self) -> Result<Arc<Vectorizer>, ModelError> {
        Err(Unable::new(self.id(), self.kind(), Ability::Weigh).into())
    }

    /// Tells whether the model numbers its tokens; loads nothing.
    fn has_token_ids(&self) -> bool {
        false
    }

    /// Returns what numbers the model's tokens; the first call loads it.
    ///
    /// # Errors
    /// Fails where the model does not number tokens ([`Unable`]) or can't be loaded.
    fn token_ids(&self) -> Result<Arc<dyn TokenIds>, ModelError> {
        Err(Unable::new(self.id(), self.kind(), Ability::TokenIds).into())
    }
}

/// What a model weighs the terms of: what it was made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weighed {
    /// Texts, which it cuts itself.
    Texts,
    /// Lists of tokens.
    Tokens,
}

/// Makes a vector of each text.
pub trait Embedder: Debug + Send + Sync {
    /// Returns how many components a vector has.
    fn dimension(&self) -> usize;

    /// Returns the vectors of a column, `dimension` numbers a row, one row after another; any for NULL.
    ///
    /// It blocks until all are there.
    ///
    /// # Errors
    /// Fails where the model can't be loaded or run, a text is refused, or the call is cancelled.
    fn embed(&self, texts: &Texts) -> Result<Vec<f32>, ModelError>;
}

/// Gives each text a probability a label.
pub trait Classifier: Debug + Send + Sync {
    /// Returns the labels, at least one.
    fn labels(&self) -> &[String];

    /// Returns the scores of a column, one a label in the labels' order, one row after another; any for NULL.
    ///
    /// It blocks until all are there.
    ///
    /// # Errors
    /// Fails as [`Embedder::embed`] does.
    fn scores(&self, texts: &Texts) -> Result<Vec<f32>, ModelError>;
}

/// Computes values from columns, in the model's own order of inputs.
pub trait Predictor: Debug + Send + Sync {
    /// Returns the type of a row's result for inputs of these types, or why they don't fit.
    ///
    /// # Errors
    /// Fails where the graph takes other inputs.
    fn result_type(&self, inputs: &[DataType]) -> Result<DataType, ModelError>;

    /// Computes each row of columns that are equally long; NULL in any of them gives NULL.
    ///
    /// It blocks until all are there.
    ///
    /// # Errors
    /// Fails where the model can't be loaded or run, a value does not fit its graph, or the call is cancelled.
    fn predict(&self, inputs: &[ArrayRef]) -> Result<ArrayRef, ModelError>;
}

/// Scores how well a text answers a query.
pub trait Reranker: Debug + Send + Sync {
    /// Returns a score a row of two columns that are equally long; any where one of them is NULL.
    ///
    /// It blocks until all are there.
    ///
    /// # Errors
    /// Fails as [`Embedder::embed`] does.
    fn rerank(&self, queries: &Texts, texts: &Texts) -> Result<Vec<f32>, ModelError>;
}

/// Numbers the tokens of a text as a model reads them.
pub trait TokenIds: Debug + Send + Sync {
    /// Adds the ids of a text, special tokens included, to `ids`.
    ///
    /// # Errors
    /// Fails where the tokenizer does.
    fn ids(&self, text: &str, ids: &mut Vec<i32>) -> Result<(), ModelError>;
}

/// Capability that a function asks of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ability {
    /// Give labels to texts.
    Classify,
    /// Make vectors of texts.
    Embed,
    /// Compute values from columns.
    Predict,
    /// Score texts for a query.
    Rerank,
    /// Give words their parts of speech.
    Tag,
    /// Number the tokens of texts.
    TokenIds,
    /// Cut texts into tokens.
    Tokenize,
    /// Weigh terms by a corpus.
    Weigh,
}

impl Ability {
    /// Tells whether a model has it; loads nothing.
    pub fn of(self, model: &dyn Model) -> bool {
        match self {
            Self::Classify => model.classifier().is_some(),
            Self::Embed => model.embedder().is_some(),
            Self::Predict => model.predictor().is_some(),
            Self::Rerank => model.reranker().is_some(),
            Self::Tag => model.can_tag(),
            Self::TokenIds => model.has_token_ids(),
            Self::Tokenize => model.can_tokenize(),
            Self::Weigh => model.weighs().is_some(),
        }
    }

    /// Returns it as a verb.
    pub fn verb(self) -> &'static str {
        match self {
            Self::Classify => "classify",
            Self::Embed => "embed",
            Self::Predict => "predict",
            Self::Rerank => "rerank",
            Self::Tag => "tag words",
            Self::TokenIds => "number tokens",
            Self::Tokenize => "tokenize",
            Self::Weigh => "weigh terms",
        }
    }
}

/// A model was asked for what its kind does not do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unable {
    model: String,
    kind: String,
    ability: Ability,
}

impl Unable {
    /// Describes a model that lacks an ability.
    pub fn new(model: &str, kind: &str, ability: Ability) -> Self {
        Self {
            model: model.to_owned(),
            kind: kind.to_owned(),
            ability,
        }
    }
}

impl fmt::Display for Unable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            model,
            kind,
            ability,
        } = self;
        write!(f, "model `{model}` ({kind}) does not {}", ability.verb())
    }
}

impl Error for Unable {}

/// A model gives no result whatever it is asked: its files, its library, its device or its threads fail.
///
/// Kinds of models put it around errors of opening, building and proving a model. It speaks as the error within does,
/// and is found by its type in a chain of causes, where it says that no row is to blame.
#[derive(Debug)]
pub struct Unusable(ModelError);

impl Unusable {
    /// Wraps an error, which is then found by this type in a chain of causes.
    pub fn mark(error: impl Into<ModelError>) -> ModelError {
        Box::new(Self(error.into()))
    }
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl Error for Unusable {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source()
    }
}

/// No models at all, for functions used without a store.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct NoModels;

impl Models for NoModels {
    fn open(&self, name: &str) -> Result<Arc<dyn Model>, ModelError> {
        Err(format!("no model `{name}`: this session has no models").into())
    }

    fn names(&self) -> Vec<String> {
        Vec::new()
    }
}

thread_local! {
    /// The watch over what this thread computes.
    static CURRENT: RefCell<Option<Arc<Watch>>> = const { RefCell::new(None) };
}

/// Cancellation flag and counters of the calls that run a model.
///
/// Whoever calls a function sets it for the thread; whoever runs the model asks for it there.
#[derive(Debug, Default)]
pub struct Watch {
    cancelled: Arc<AtomicBool>,
    figures: Mutex<Figures>,
}

/// Counters of model runs: texts, tokens, time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Figures {
    /// Texts that were computed: those that are there several times count once.
    pub distinct_texts: usize,
    /// Their tokens, special ones included.
    pub tokens: usize,
    /// The tokens that the model was given, padding included.
    pub padded_tokens: usize,
    /// How often the model was run. A run with texts of several calls counts for one of them.
    pub runs: usize,
    /// The time of the runs, added up; of a run with texts of several calls, these calls' share by their padded tokens.
    pub model_time: Duration,
    /// The time that callers waited for runs.
    pub waiting_time: Duration,
}

impl AddAssign for Figures {
    fn add_assign(&mut self, other: Self) {
        self.distinct_texts += other.distinct_texts;
        self.tokens += other.tokens;
        self.padded_tokens += other.padded_tokens;
        self.runs += other.runs;
        self.model_time += other.model_time;
        self.waiting_time += other.waiting_time;
    }
}

impl Watch {
    /// Returns a watch with no figures yet.
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// Returns a watch with figures of its own that is cancelled with this one.
    pub fn again(&self) -> Arc<Self> {
        Arc::new(Self {
            cancelled: Arc::clone(&self.cancelled),
            figures: Mutex::default(),
        })
    }

    /// Cancels the calls: nobody waits for them any more.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    /// Tells whether the calls are cancelled.
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }

    /// Runs `work` with this watch over it.
    pub fn during<T>(self: &Arc<Self>, work: impl FnOnce() -> T) -> T {
        /// Puts back what was there, whether `work` returns or panics.
        struct Restore(Option<Arc<Watch>>);
        impl Drop for Restore {
            fn drop(&mut self) {
                CURRENT.set(self.0.take());
            }
        }
        let _restore = Restore(CURRENT.replace(Some(Arc::clone(self))));
        work()
    }

    /// Returns the watch over this thread, if there is one.
    pub fn current() -> Option<Arc<Self>> {
        CURRENT.with_borrow(Clone::clone)
    }

    /// Changes the figures.
    pub fn add(&self, change: impl FnOnce(&mut Figures)) {
        change(&mut self.figures.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Returns the figures so far.
    pub fn figures(&self) -> Figures {
        *self.figures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Cancels a watch when it is dropped: whoever waits holds it.
#[derive(Debug)]
pub struct CancelOnDrop(pub Arc<Watch>);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marked_error_speaks_as_it_did_and_is_found_by_its_type() {
        #[derive(Debug)]
        struct Caused(fmt::Error);
        impl fmt::Display for Caused {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "model `m`")
            }
        }
        impl Error for Caused {
            fn source(&self) -> Option<&(dyn Error + 'static)> {
                Some(&self.0)
            }
        }
        let marked = Unusable::mark(Caused(fmt::Error));
        assert_eq!(marked.to_string(), "model `m`");
        assert!(marked.source().is_some_and(<dyn Error>::is::<fmt::Error>));
        assert!(marked.is::<Unusable>());
    }

    #[test]
    fn a_watch_is_over_a_thread_for_as_long_as_the_work_takes() {
        let watch = Watch::new();
        let inner = watch.again();
        watch.during(|| {
            inner.during(|| {
                Watch::current()
                    .expect("set")
                    .add(|figures| figures.runs += 1);
            });
            Watch::current()
                .expect("put back")
                .add(|figures| figures.runs += 10);
        });
        assert!(Watch::current().is_none());
        assert_eq!((watch.figures().runs, inner.figures().runs), (10, 1));
        watch.cancel();
        assert!(inner.is_cancelled());
    }
}
