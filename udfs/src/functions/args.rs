//! Typed access to the arguments of one call.

use std::borrow::Cow;
use std::num::NonZeroUsize;
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::error::ArrowError;
use datafusion_common::{DataFusionError, Result, ScalarValue, exec_datafusion_err, exec_err};
use datafusion_expr::{ColumnarValue, ScalarFunctionArgs};

use super::pattern_model::PatternModel;
use super::{Declaration, Settings};
use lexstream_columns::model::{Model, ModelError, Models};
use lexstream_columns::{
    Documents, InvalidUtf8, Metric, Text, TextWriter, Texts, TokenLists, Tokens, Vectors,
    bag_of_texts_column, measure_pairs, token_list,
};
use lexstream_text::normal_form::NormalForm;
use lexstream_text::pos_tags::PosTagger;
use lexstream_text::stem::Stemmer;
use lexstream_text::stop_words;
use lexstream_text::tfidf::Vectorizer;
use lexstream_text::tokenizers::{self, Span, Tokenizer};

/// Reads the arguments of one call; nothing else looks into a `ColumnarValue`.
#[derive(Debug)]
pub(crate) struct Args<'a> {
    declaration: &'static Declaration,
    values: Vec<ColumnarValue>,
    rows: usize,
    /// The model that planning has found.
    model: Option<&'a Arc<dyn Model>>,
    models: &'a dyn Models,
}

impl<'a> Args<'a> {
    pub(crate) fn new(
        declaration: &'static Declaration,
        args: ScalarFunctionArgs,
        model: Option<&'a Arc<dyn Model>>,
        models: &'a dyn Models,
    ) -> Self {
        Self {
            declaration,
            values: args.args,
            rows: args.number_rows,
            model,
            models,
        }
    }

    /// Maps each text of argument `at` to its tokens.
    pub(crate) fn map_to_tokens(
        &self,
        at: usize,
        tokenizer: &dyn Tokenizer,
    ) -> Result<ColumnarValue> {
        let texts = self.texts(at)?;
        self.result(texts.map_to_tokens(tokenizer)?)
    }

    /// Maps each text of argument `at` to one text.
    pub(crate) fn map_to_text(
        &self,
        at: usize,
        f: impl FnMut(Text<'_>, &mut TextWriter) -> Result<(), ArrowError>,
    ) -> Result<ColumnarValue> {
        let texts = self.texts(at)?;
        self.result(texts.map_to_text(f)?)
    }

    /// Maps each text of argument `at` to the number of its tokens.
    pub(crate) fn map_to_token_count(
        &self,
        at: usize,
        tokenizer: &dyn Tokenizer,
    ) -> Result<ColumnarValue> {
        let texts = self.texts(at)?;
        self.result(texts.map_to_token_count(tokenizer)?)
    }

    /// Maps each text of argument `at` to the counts of its tokens.
    pub(crate) fn map_to_bag(&self, at: usize, tokenizer: &dyn Tokenizer) -> Result<ColumnarValue> {
        let bags = bag_of_texts_column(&self.texts(at)?, tokenizer);
        self.result(bags.map_err(|error| self.named_error(&error))?)
    }

    /// Maps the tokens of argument `at`, row by row, to slices of a text that `map` writes.
    pub(crate) fn map_tokens(
        &self,
        at: usize,
        map: impl FnMut(Tokens<'_>, &mut String, &mut Vec<Span>),
    ) -> Result<ColumnarValue> {
        let tokens = TokenLists::try_new(&self.column(at)?)?;
        self.result(tokens.map_to_tokens(map)?)
    }

    /// Maps the tokens of argument `at` as one column.
    pub(crate) fn map_token_lists(
        &self,
        at: usize,
        map: impl FnOnce(&TokenLists) -> Result<ArrayRef, ArrowError>,
    ) -> Result<ColumnarValue> {
        let lists = TokenLists::try_new(&self.column(at)?)?;
        let mapped = map(&lists).map_err(|error| self.named_error(&error))?;
        self.result(mapped)
    }

    /// Maps arguments 0 and 1, row by row, as two columns that are equally long.
    pub(crate) fn map_two(
        &self,
        map: impl FnOnce(&ArrayRef, &ArrayRef) -> Result<ArrayRef, ArrowError>,
    ) -> Result<ColumnarValue> {
        let mapped = map(&self.long_column(0)?, &self.long_column(1)?);
        self.result(mapped.map_err(|error| self.named_error(&error))?)
    }

    /// Maps argument `at` as one column.
    pub(crate) fn map_column(
        &self,
        at: usize,
        map: impl FnOnce(&ArrayRef) -> Result<ArrayRef, ArrowError>,
    ) -> Result<ColumnarValue> {
        let mapped = map(&self.column(at)?).map_err(|error| self.named_error(&error))?;
        self.result(mapped)
    }

    /// Says which function an error of a column came from.
    fn named_error(&self, error: &ArrowError) -> DataFusionError {
        let message = match error {
            ArrowError::InvalidArgumentError(message) => message.clone(),
            other => other.to_string(),
        };
        exec_datafusion_err!("{}: {message}", self.declaration.name)
    }

    /// Returns argument `at` as texts, or as lists of tokens where it has lists.
    fn documents(&self, at: usize, column: ArrayRef) -> Result<Documents> {
        if self.is_list(at) {
            return Ok(Documents::Tokens(TokenLists::try_new(&column)?));
        }
        Ok(Documents::Texts(self.texts_of(at, column)?))
    }

    /// Maps the texts, or lists of tokens, of argument `at` as one column.
    pub(crate) fn map_documents(
        &self,
        at: usize,
        map: impl FnOnce(&Documents) -> Result<ArrayRef, ArrowError>,
    ) -> Result<ColumnarValue> {
        let documents = self.documents(at, self.column(at)?)?;
        let mapped = map(&documents).map_err(|error| self.named_error(&error))?;
        self.result(mapped)
    }

    /// Maps the texts, or lists of tokens, of arguments `left` and `right` as two columns that are equally long.
    pub(crate) fn map_document_pairs(
        &self,
        left: usize,
        right: usize,
        map: impl FnOnce(&Documents, &Documents) -> Result<ArrayRef, ArrowError>,
    ) -> Result<ColumnarValue> {
        let (left, right) = (
            self.documents(left, self.long_column(left)?)?,
            self.documents(right, self.long_column(right)?)?,
        );
        let mapped = map(&left, &right).map_err(|error| self.named_error(&error))?;
        self.result(mapped)
    }

    /// Returns what weighs terms of the model that argument `at` names.
    pub(crate) fn vectorizer(&self, at: usize) -> Result<Arc<Vectorizer>> {
        let vectorizer = self.model(at)?.vectorizer();
        vectorizer.map_err(|cause| self.failed(cause))
    }

    /// Returns one list of tokens, for a function of constants alone.
    pub(crate) fn token_list(&self, tokens: &[&str]) -> Result<ColumnarValue> {
        self.result(token_list(tokens)?)
    }

    /// Maps the tokens of argument `at` to those that are not in the list in the same row of argument `words`.
    pub(crate) fn remove_words(&self, at: usize, words: usize) -> Result<ColumnarValue> {
        let (tokens, words) = (
            TokenLists::try_new(&self.column(at)?)?,
            TokenLists::try_new(&self.column(words)?)?,
        );
        self.result(tokens.remove_words(&words, self.measured_rows())?)
    }

    /// Maps each text of argument `at`, or each token where it has lists, to one text.
    pub(crate) fn map_texts_or_tokens(
        &self,
        at: usize,
        map: impl Fn(&str) -> Cow<'_, str>,
    ) -> Result<ColumnarValue> {
        if self.is_list(at) {
            return self.map_tokens(at, |tokens, text, spans| {
                for token in tokens.iter() {
                    let mapped = map(token);
                    spans.push(Span::new(text.len(), mapped.len()));
                    text.push_str(&mapped);
                }
            });
        }
        self.map_to_text(at, |text, out| match map(text.value) {
            Cow::Borrowed(same) if same.len() == text.value.len() => out.unchanged(&text),
            mapped => out.built(&mapped),
        })
    }

    /// Tells whether argument `at` has lists.
    pub(crate) fn is_list(&self, at: usize) -> bool {
        self.values
            .get(at)
            .is_some_and(|value| value.data_type().is_list())
    }

    /// Returns the stop words of the language that argument `at` names.
    pub(crate) fn stop_words(&self, at: usize) -> Result<&'static [&'static str]> {
        self.named(at, "", stop_words::stop_words)
    }

    /// Returns the stemmer of the language that argument `at` names.
    pub(crate) fn stemmer(&self, at: usize) -> Result<Stemmer> {
        self.named(at, "", Stemmer::of)
    }

    /// Measures the texts of arguments 0 and 1, row by row.
    pub(crate) fn measure_texts(&self, measure: fn(&str, &str) -> f64) -> Result<ColumnarValue> {
        let (left, right) = (self.texts(0)?, self.texts(1)?);
        self.result(measure_pairs(
            &left.values(),
            &right.values(),
            self.measured_rows(),
            measure,
        ))
    }

    /// Measures the tokens of arguments 0 and 1, row by row.
    pub(crate) fn measure_tokens(
        &self,
        measure: impl Fn(Tokens<'_>, Tokens<'_>) -> f64,
    ) -> Result<ColumnarValue> {
        let (left, right) = (
            TokenLists::try_new(&self.column(0)?)?,
            TokenLists::try_new(&self.column(1)?)?,
        );
        self.result(measure_pairs(
            &left.rows(),
            &right.rows(),
            self.measured_rows(),
            measure,
        ))
    }

    /// Measures the vectors of arguments 0 and 1, row by row.
    pub(crate) fn measure(&self, metric: &impl Metric) -> Result<ColumnarValue> {
        let rows = self.measured_rows();
        let (left, right) = (
            Vectors::try_new(&self.column(0)?)?,
            Vectors::try_new(&self.column(1)?)?,
        );
        let measures = left.measure(&right, rows, metric);
        self.result(
            measures.map_err(|error| exec_datafusion_err!("{}: {error}", self.declaration.name))?,
        )
    }

    /// Returns the tokenizer that argument `at` names, a built-in one or a model's; `'word'` where it is left out.
    pub(crate) fn tokenizer(&self, at: usize) -> Result<Arc<dyn Tokenizer>> {
        let name = self.name(at, "word")?;
        let hmm = self.settings()?.flag("hmm", true)?;
        if let Some(tokenizer) = tokenizers::built_in(name, hmm) {
            return Ok(tokenizer);
        }
        self.named_model(name)?
            .tokenizer()
            .map_err(DataFusionError::External)
    }

    /// Returns the tokenizer of the model of this name, which a setting has.
    pub(crate) fn tokenizer_of(&self, name: &str) -> Result<Arc<dyn Tokenizer>> {
        let tokenizer = self.named_model(name)?.tokenizer();
        tokenizer.map_err(|cause| self.failed(cause))
    }

    /// Returns what gives words their parts of speech: the model's that argument `at` names, jieba's where it is left out.
    pub(crate) fn pos_tagger(&self, at: usize) -> Result<PosTagger> {
        if self.values.len() <= at {
            return Ok(PosTagger::built_in());
        }
        let tagger = self.model(at)?.pos_tagger();
        tagger.map_err(|cause| self.failed(cause))
    }

    /// Returns the model that argument `at` names.
    pub(crate) fn model(&self, at: usize) -> Result<Arc<dyn Model>> {
        self.named_model(self.name(at, "")?)
    }

    fn named_model(&self, name: &str) -> Result<Arc<dyn Model>> {
        match self.model {
            Some(model) => Ok(Arc::clone(model)),
            None => match PatternModel::named(name) {
                Some(pattern) => {
                    Ok(Arc::new(pattern.map_err(|error| {
                        DataFusionError::External(error.into())
                    })?))
                }
                None => self.models.open(name).map_err(DataFusionError::External),
            },
        }
    }

    /// Returns the settings of the call; planning has checked them.
    pub(crate) fn settings(&self) -> Result<Settings> {
        let Some(at) = self.declaration.settings_at() else {
            return Ok(Settings::default());
        };
        match self.values.get(at) {
            None => Ok(Settings::default()),
            Some(ColumnarValue::Scalar(settings)) => Settings::of(settings),
            Some(ColumnarValue::Array(_)) => Err(self.unchecked(at)),
        }
    }

    /// Maps the texts of argument `at` as one column.
    pub(crate) fn map_texts(
        &self,
        at: usize,
        f: impl FnOnce(&Texts) -> Result<ArrayRef, ModelError>,
    ) -> Result<ColumnarValue> {
        let mapped = f(&self.texts(at)?).map_err(|cause| self.failed(cause))?;
        self.result(mapped)
    }

    /// Maps the texts of arguments `left` and `right`, row by row, as two columns that are equally long.
    pub(crate) fn map_text_pairs(
        &self,
        left: usize,
        right: usize,
        f: impl FnOnce(&Texts, &Texts) -> Result<ArrayRef, ModelError>,
    ) -> Result<ColumnarValue> {
        let (left, right) = (
            self.texts_of(left, self.long_column(left)?)?,
            self.texts_of(right, self.long_column(right)?)?,
        );
        let mapped = f(&left, &right).map_err(|cause| self.failed(cause))?;
        self.result(mapped)
    }

    /// Maps the arguments from `first` on, row by row, as columns that are equally long.
    pub(crate) fn map_columns(
        &self,
        first: usize,
        f: impl FnOnce(&[ArrayRef]) -> Result<ArrayRef, ModelError>,
    ) -> Result<ColumnarValue> {
        let columns = (first..self.values.len()).map(|at| self.long_column(at));
        let columns = columns.collect::<Result<Vec<_>>>()?;
        let mapped = f(&columns).map_err(|cause| self.failed(cause))?;
        self.result(mapped)
    }

    /// Says which function failed.
    fn failed(&self, cause: ModelError) -> DataFusionError {
        match cause.downcast::<ArrowError>() {
            Ok(cause) => DataFusionError::from(*cause),
            Err(cause) => DataFusionError::External(cause).context(self.declaration.name),
        }
    }

    /// Returns the normalization form that argument `at` names; NFKC where it is left out.
    pub(crate) fn normal_form(&self, at: usize) -> Result<NormalForm> {
        self.named(at, "nfkc", NormalForm::named)
    }

    /// Returns the constant number in argument `at`, none where it is left out; planning has refused what is below 1.
    pub(crate) fn count(&self, at: usize) -> Result<Option<NonZeroUsize>> {
        match self.values.get(at) {
            None => Ok(None),
            Some(ColumnarValue::Scalar(ScalarValue::Int64(Some(count)))) => {
                let count = usize::try_from(*count).ok().and_then(NonZeroUsize::new);
                count.map(Some).ok_or_else(|| self.unchecked(at))
            }
            Some(_) => Err(self.unchecked(at)),
        }
    }

    /// Returns the constant number in argument `at`, none where it is left out; planning has checked its range.
    pub(crate) fn number(&self, at: usize) -> Result<Option<i64>> {
        match self.values.get(at) {
            None => Ok(None),
            Some(ColumnarValue::Scalar(ScalarValue::Int64(Some(number)))) => Ok(Some(*number)),
            Some(_) => Err(self.unchecked(at)),
        }
    }

    /// Returns what the constant name in argument `at` stands for.
    fn named<T>(&self, at: usize, default: &str, find: impl Fn(&str) -> Option<T>) -> Result<T> {
        find(self.name(at, default)?).ok_or_else(|| self.unchecked(at))
    }

    /// Returns the constant text in argument `at`; planning has refused everything else.
    fn name<'b>(&'b self, at: usize, default: &'b str) -> Result<&'b str> {
        let name = match self.values.get(at) {
            None => Some(default),
            Some(ColumnarValue::Scalar(scalar)) => scalar.try_as_str().flatten(),
            Some(ColumnarValue::Array(_)) => None,
        };
        name.ok_or_else(|| self.unchecked(at))
    }

    fn unchecked(&self, at: usize) -> DataFusionError {
        exec_datafusion_err!(
            "{}: argument {} was not checked at planning",
            self.declaration.usage(),
            at + 1
        )
    }

    fn texts(&self, at: usize) -> Result<Texts> {
        self.texts_of(at, self.column(at)?)
    }

    fn texts_of(&self, at: usize, column: ArrayRef) -> Result<Texts> {
        Texts::try_new(column).map_err(|error| match &error {
            ArrowError::ExternalError(cause) if cause.is::<InvalidUtf8>() => {
                let (function, parameter) =
                    (self.declaration.name, self.declaration.parameters[at].name);
                exec_datafusion_err!("{function}: `{parameter}`, {cause}")
            }
            _ => DataFusionError::from(error),
        })
    }

    /// Returns an argument as a column; a constant is a column of one row.
    fn column(&self, at: usize) -> Result<ArrayRef> {
        match self.values.get(at) {
            Some(ColumnarValue::Array(array)) => Ok(Arc::clone(array)),
            Some(ColumnarValue::Scalar(scalar)) => scalar.to_array(),
            None => exec_err!(
                "{}: argument {} is missing",
                self.declaration.usage(),
                at + 1
            ),
        }
    }

    /// Returns an argument as a column as long as the others: a constant stands in every row, or in one where all
    /// arguments are constants.
    fn long_column(&self, at: usize) -> Result<ArrayRef> {
        match self.values.get(at) {
            Some(ColumnarValue::Scalar(scalar)) if !self.is_scalar() => {
                scalar.to_array_of_size(self.rows)
            }
            _ => self.column(at),
        }
    }

    /// Returns how many pairs two arguments make: one where both are constants.
    fn measured_rows(&self) -> usize {
        if self.is_scalar() { 1 } else { self.rows }
    }

    fn is_scalar(&self) -> bool {
        self.values
            .iter()
            .all(|value| matches!(value, ColumnarValue::Scalar(_)))
    }

    /// Returns a result in the form DataFusion expects: one value where every argument was one.
    fn result(&self, array: ArrayRef) -> Result<ColumnarValue> {
        if self.is_scalar() && array.len() == 1 {
            return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(
                &array, 0,
            )?));
        }
        Ok(ColumnarValue::Array(array))
    }
}
