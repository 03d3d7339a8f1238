//! What a function takes: names, kinds, and what is said when an argument does not fit.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion_common::{DataFusionError, Result, ScalarValue, plan_err};
use datafusion_expr::{Expr, ReturnFieldArgs};

use super::pattern_model::PatternModel;
use super::settings::{self, Setting, SettingKind};
use crate::columns::types;
use crate::model::{Ability, Model, ModelError, Models, Unable, Weighed};
use crate::nearest;
use crate::text::{stop_words, tokenizers};

/// What an argument may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A column or a constant of texts, in any string encoding or as binary that holds UTF-8.
    Text,
    /// Columns or constants of numbers, truth values or texts, or of lists of them: one or more, and so the last.
    Inputs,
    /// A column or a constant of lists of texts.
    Tokens,
    /// A column or a constant of lists of numbers, or of sparse vectors.
    Vector,
    /// A column or a constant of whole numbers.
    Integer,
    /// A column or a constant of lists of whole numbers.
    Integers,
    /// A column or a constant of texts, or of lists of texts.
    TextOrTokens,
    /// A constant text that names a language with a list of stop words, or a column or a constant of lists of texts.
    StopWords,
    /// A constant number of at least 1.
    Count,
    /// A constant number from the first to the second.
    Number(i64, i64),
    /// A constant text that is one of these names, without regard to case.
    Name(&'static [&'static str]),
    /// A constant text that names a tokenizer: a built-in one, or a model that has one.
    Tokenizer,
    /// A constant text that names a model with this ability.
    Model(Ability),
    /// A constant struct of these settings, alphabetical.
    Settings(&'static [Setting]),
}

/// One parameter of a function.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parameter {
    /// Name in the documentation and in messages.
    pub name: &'static str,
    pub kind: Kind,
}

/// The parameters of a function, in order; those past `required` may be left out.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parameters {
    pub function: &'static str,
    pub list: &'static [Parameter],
    pub required: usize,
}

impl Parameters {
    /// Returns the parameters of a function of a text and, where they are not left out, the name of a tokenizer and its
    /// settings.
    pub(crate) const fn text_and_tokenizer(function: &'static str) -> Self {
        const LIST: &[Parameter] = &[
            Parameter {
                name: "text",
                kind: Kind::Text,
            },
            Parameter {
                name: "tokenizer",
                kind: Kind::Tokenizer,
            },
            Parameter {
                name: "settings",
                kind: Kind::Settings(&[Setting {
                    name: "hmm",
                    kind: SettingKind::Flag,
                }]),
            },
        ];
        Self {
            function,
            list: LIST,
            required: 1,
        }
    }

    /// Refuses settings of a tokenizer that has none; they are the argument behind its name.
    pub(crate) fn check_tokenizer_settings(&self, args: &ReturnFieldArgs<'_>) -> Result<()> {
        let tokenizer = |at: usize| args.scalar_arguments.get(at)?.as_ref()?.try_as_str()?;
        let at = self.position(|kind| kind == Kind::Tokenizer);
        if let Some(at) = at
            && args.arg_fields.len() > at + 1
            && let Some(found) = tokenizer(at)
            && !tokenizers::WITH_HMM
                .iter()
                .any(|known| known.eq_ignore_ascii_case(found))
        {
            return plan_err!(
                "{}: only {} have settings, found the tokenizer `{found}`",
                self.function,
                tokenizers::WITH_HMM.join(", ")
            );
        }
        Ok(())
    }

    /// Returns the parameters of a function of a model with this ability and a text.
    pub(crate) const fn model_and_text(
        function: &'static str,
        list: &'static [Parameter; 2],
    ) -> Self {
        Self {
            function,
            list,
            required: 2,
        }
    }

    /// Returns the parameters of a function of two texts.
    pub(crate) const fn two_texts(function: &'static str) -> Self {
        const LIST: &[Parameter] = &[
            Parameter {
                name: "text1",
                kind: Kind::Text,
            },
            Parameter {
                name: "text2",
                kind: Kind::Text,
            },
        ];
        Self {
            function,
            list: LIST,
            required: 2,
        }
    }

    /// Returns the parameters of a function of two vectors.
    pub(crate) const fn two_vectors(function: &'static str) -> Self {
        const LIST: &[Parameter] = &[
            Parameter {
                name: "vector1",
                kind: Kind::Vector,
            },
            Parameter {
                name: "vector2",
                kind: Kind::Vector,
            },
        ];
        Self {
            function,
            list: LIST,
            required: 2,
        }
    }

    /// Refuses fixed-size lists of different lengths, which no row could satisfy.
    pub(crate) fn check_lengths(&self, fields: &[FieldRef]) -> Result<()> {
        let mut lengths = fields.iter().filter_map(|field| match field.data_type() {
            DataType::FixedSizeList(_, length) => Some(*length),
            _ => None,
        });
        if let (Some(left), Some(right)) = (lengths.next(), lengths.next())
            && left != right
        {
            return plan_err!(
                "{}: expected vectors of one length, found {left} and {right}",
                self.function
            );
        }
        Ok(())
    }

    /// Returns the type each argument is cast to, one by one: a cast around a constant would hide it from planning.
    ///
    /// An argument that does not fit keeps its type; [`Parameters::check`] says what is wrong with it.
    pub(crate) fn coerce(&self, found: &[DataType]) -> Vec<DataType> {
        found
            .iter()
            .enumerate()
            .map(|(at, found)| {
                self.at(at)
                    .and_then(|parameter| coerced(parameter.kind, found))
                    .unwrap_or_else(|| found.clone())
            })
            .collect()
    }

    /// Returns the parameter that argument `at` is for.
    fn at(&self, at: usize) -> Option<&'static Parameter> {
        let last = self.list.last().filter(|_| self.repeats());
        self.list.get(at).or(last)
    }

    /// Tells whether the last parameter may stand any number of times.
    fn repeats(&self) -> bool {
        let last = self.list.last();
        last.is_some_and(|last| last.kind == Kind::Inputs)
    }

    /// Refuses texts for a model that was made of lists of tokens, and the other way round; `at` are the arguments.
    pub(crate) fn check_weighed(
        &self,
        fields: &[FieldRef],
        at: impl IntoIterator<Item = usize>,
        model: Option<&dyn Model>,
    ) -> Result<()> {
        let Some((model, weighed)) = model.and_then(|model| Some((model, model.weighs()?))) else {
            return Ok(());
        };
        for at in at {
            let found = fields[at].data_type();
            let (expected, hint) = match weighed {
                Weighed::Texts if found.is_list() => {
                    ("a text", "array_to_string(list, ' ') joins one")
                }
                Weighed::Tokens if is_text(found) => {
                    ("a list of texts", "tokenize(text) makes one")
                }
                _ => continue,
            };
            return plan_err!(
                "{}: `{}` must be {expected}, as model `{}` was made of them, found {found}; {hint}",
                self.function,
                self.list[at].name,
                model.id()
            );
        }
        Ok(())
    }

    /// Refuses a call with the wrong number of arguments, or an argument of the wrong type.
    pub(crate) fn check(&self, fields: &[FieldRef]) -> Result<()> {
        let too_many = fields.len() > self.list.len() && !self.repeats();
        if fields.len() < self.required || too_many {
            let number = match self.list.len() {
                _ if self.repeats() => format!("{} or more", self.required),
                most if most == self.required => most.to_string(),
                most => format!("{} to {most}", self.required),
            };
            let noun = if number == "1" {
                "argument"
            } else {
                "arguments"
            };
            return plan_err!(
                "{}: expected {number} {noun}, found {}",
                self.usage(),
                fields.len()
            );
        }
        for (at, field) in fields.iter().enumerate() {
            let Some(Parameter { name, kind }) = self.at(at) else {
                continue;
            };
            if coerced(*kind, field.data_type()).is_none() {
                return plan_err!(
                    "{}: `{name}` must be {}, found {}{}",
                    self.function,
                    described(*kind),
                    field.data_type(),
                    hint(*kind, field.data_type())
                );
            }
        }
        Ok(())
    }

    /// Refuses a column where a constant belongs, and a constant that names nothing.
    ///
    /// `model` is the one that this call is known to name; else it is looked for in `models`.
    pub(crate) fn check_constants(
        &self,
        args: &ReturnFieldArgs<'_>,
        model: Option<&Arc<dyn Model>>,
        models: &dyn Models,
    ) -> Result<Option<Arc<dyn Model>>> {
        let mut named = model.cloned();
        for (at, parameter) in self.list.iter().enumerate() {
            let Some(field) = args.arg_fields.get(at) else {
                break;
            };
            if let Kind::Settings(known) = parameter.kind {
                settings::check_names(self.function, known, field.data_type())?;
                // A struct is no constant before the plan is simplified.
                if let Some(constant) = args.scalar_arguments.get(at).copied().flatten() {
                    settings::check_values(self.function, known, constant)?;
                }
                continue;
            }
            let kind = match parameter.kind {
                Kind::StopWords if is_text(field.data_type()) => Kind::Name(stop_words::LANGUAGES),
                kind => kind,
            };
            if !matches!(
                kind,
                Kind::Count | Kind::Number(..) | Kind::Name(_) | Kind::Tokenizer | Kind::Model(_)
            ) {
                continue;
            }
            let (function, name) = (self.function, parameter.name);
            let Some(constant) = args.scalar_arguments.get(at).copied().flatten() else {
                return plan_err!(
                    "{function}: `{name}` must be a constant, found `{}`",
                    field.name()
                );
            };
            match kind {
                Kind::Count => self.check_count(at, constant)?,
                Kind::Number(least, most) => self.check_number(at, constant, least, most)?,
                Kind::Name(known) => {
                    let found = self.constant_text(at, constant)?;
                    if !known.iter().any(|known| known.eq_ignore_ascii_case(found)) {
                        return self.unknown(at, found, &known.join(", "), known);
                    }
                }
                _ if named.is_none() => named = self.model(at, constant, models)?,
                _ => {}
            }
        }
        Ok(named)
    }

    /// Returns which parameter may name a model; no function has two.
    pub(crate) fn model_at(&self) -> Option<usize> {
        self.position(|kind| matches!(kind, Kind::Tokenizer | Kind::Model(_)))
    }

    /// Returns which parameter has the call's settings.
    pub(crate) fn settings_at(&self) -> Option<usize> {
        self.position(|kind| matches!(kind, Kind::Settings(_)))
    }

    fn position(&self, is_wanted: impl Fn(Kind) -> bool) -> Option<usize> {
        self.list
            .iter()
            .position(|parameter| is_wanted(parameter.kind))
    }

    /// Refuses settings that are no constant once the plan is simplified, or that have a wrong value.
    pub(crate) fn check_settings(&self, args: &[Expr]) -> Result<()> {
        let Some((at, found)) = self.settings_at().and_then(|at| Some((at, args.get(at)?))) else {
            return Ok(());
        };
        match (found, self.list[at].kind) {
            (Expr::Literal(constant, _), Kind::Settings(known)) => {
                settings::check_values(self.function, known, constant)
            }
            _ => plan_err!(
                "{}: `{}` must be a constant, found `{found}`",
                self.function,
                self.list[at].name
            ),
        }
    }

    /// Returns the model that a constant names, none for a built-in tokenizer; a model that can't do the work is refused.
    pub(crate) fn model(
        &self,
        at: usize,
        constant: &ScalarValue,
        models: &dyn Models,
    ) -> Result<Option<Arc<dyn Model>>> {
        let found = self.constant_text(at, constant)?;
        let (built_in, ability) = match self.list[at].kind {
            Kind::Model(ability) => (&[] as &[&str], ability),
            _ => (tokenizers::NAMES, Ability::Tokenize),
        };
        if built_in
            .iter()
            .any(|known| known.eq_ignore_ascii_case(found))
        {
            return Ok(None);
        }
        if !built_in.is_empty()
            && let Some(pattern) = PatternModel::named(found)
        {
            return match pattern {
                Ok(pattern) => Ok(Some(Arc::new(pattern))),
                Err(error) => plan_err!(
                    "{}: `{}` must be a regular expression behind `regex:`, found `{found}`: {error}",
                    self.function,
                    self.list[at].name
                ),
            };
        }
        let refused = |cause: ModelError| DataFusionError::External(cause).context(self.function);
        match models.open(found) {
            Ok(model) if ability.of(&*model) => Ok(Some(model)),
            Ok(model) => Err(refused(
                Unable::new(model.id(), model.kind(), ability).into(),
            )),
            Err(error) => {
                let names = models.names();
                let name = found.split('@').next().unwrap_or(found);
                if built_in.is_empty() || names.iter().any(|known| known.eq_ignore_ascii_case(name))
                {
                    return Err(refused(error));
                }
                let expected = built_in.join(", ") + ", regex:… or a model";
                let names = names.iter().map(String::as_str);
                let known: Vec<_> = built_in.iter().copied().chain(names).collect();
                self.unknown(at, found, &expected, &known)
            }
        }
    }

    fn check_count(&self, at: usize, constant: &ScalarValue) -> Result<()> {
        if matches!(constant, ScalarValue::Int64(Some(1..))) {
            return Ok(());
        }
        plan_err!(
            "{}: `{}` must be a constant of at least 1, found {constant}",
            self.function,
            self.list[at].name
        )
    }

    fn check_number(&self, at: usize, constant: &ScalarValue, least: i64, most: i64) -> Result<()> {
        match constant {
            ScalarValue::Int64(Some(number)) if (least..=most).contains(number) => Ok(()),
            _ => plan_err!(
                "{}: `{}` must be a constant from {least} to {most}, found {constant}",
                self.function,
                self.list[at].name
            ),
        }
    }

    fn constant_text<'a>(&self, at: usize, constant: &'a ScalarValue) -> Result<&'a str> {
        match constant.try_as_str() {
            Some(Some(text)) => Ok(text),
            _ => plan_err!(
                "{}: `{}` must be a constant text, found {constant}",
                self.function,
                self.list[at].name
            ),
        }
    }

    fn unknown<T>(&self, at: usize, found: &str, expected: &str, known: &[&str]) -> Result<T> {
        let meant = nearest(found, known.iter().copied())
            .map(|name| format!("; did you mean `{name}`?"))
            .unwrap_or_default();
        plan_err!(
            "{}: `{}` must be one of {expected}, found `{found}`{meant}",
            self.function,
            self.list[at].name
        )
    }

    /// Returns how a call is written, such as `tokenize(text [, tokenizer])`.
    pub(crate) fn usage(&self) -> String {
        let mut usage = format!("{}(", self.function);
        for (at, parameter) in self.list.iter().enumerate() {
            let comma = if at > 0 { ", " } else { "" };
            if at < self.required {
                usage.push_str(comma);
                usage.push_str(parameter.name);
            } else {
                usage.push_str(&format!(" [{comma}{}]", parameter.name));
            }
        }
        usage + if self.repeats() { ", …)" } else { ")" }
    }
}

/// Returns the type that an argument is cast to, or none where it does not fit.
fn coerced(kind: Kind, found: &DataType) -> Option<DataType> {
    match kind {
        Kind::Text => match found {
            DataType::Null => Some(types::TEXT),
            _ => is_text(found).then(|| found.clone()),
        },
        Kind::TextOrTokens => match item_of(found) {
            None => coerced(Kind::Text, found),
            Some(_) => coerced(Kind::Tokens, found),
        },
        Kind::StopWords if is_text(found) => Some(found.clone()),
        Kind::StopWords => coerced(Kind::Tokens, found),
        Kind::Count | Kind::Number(..) | Kind::Integer => {
            (found.is_integer() || found.is_null()).then_some(DataType::Int64)
        }
        Kind::Name(_) | Kind::Tokenizer | Kind::Model(_) => match found {
            DataType::Null => Some(DataType::Utf8),
            _ => is_text(found).then(|| found.clone()),
        },
        Kind::Inputs => is_input(found).then(|| found.clone()),
        Kind::Settings(_) => {
            (found.is_null() || matches!(found, DataType::Struct(_))).then(|| found.clone())
        }
        Kind::Tokens => match found {
            DataType::Null => Some(types::tokens()),
            _ => item_of(found)
                .is_some_and(|item| is_text(item) || item.is_null())
                .then(types::tokens),
        },
        Kind::Integers => {
            let item = Arc::new(Field::new_list_field(DataType::Int64, true));
            match (item_of(found), found) {
                (None, DataType::Null) => Some(DataType::List(item)),
                (Some(of), _) if !(of.is_integer() || of.is_null()) => None,
                (Some(_), DataType::FixedSizeList(_, size)) => {
                    Some(DataType::FixedSizeList(item, *size))
                }
                (Some(_), _) => Some(DataType::List(item)),
                (None, _) => None,
            }
        }
        Kind::Vector if matches!(found, DataType::Struct(_)) => sparse(found),
        Kind::Vector => {
            let component = match item_of(found) {
                _ if found.is_null() => DataType::Float64,
                Some(item @ (DataType::Float32 | DataType::Float64)) => item.clone(),
                Some(DataType::Float16) => DataType::Float32,
                Some(item) if item.is_numeric() || item.is_null() => DataType::Float64,
                _ => return None,
            };
            let item = Arc::new(Field::new_list_field(component, true));
            Some(match found {
                DataType::FixedSizeList(_, size) => DataType::FixedSizeList(item, *size),
                DataType::LargeList(_) | DataType::LargeListView(_) => DataType::LargeList(item),
                _ => DataType::List(item),
            })
        }
    }
}

/// Returns the type that a struct of `indices` and `values` is cast to, or none where it is something else.
fn sparse(found: &DataType) -> Option<DataType> {
    let DataType::Struct(fields) = found else {
        return None;
    };
    let [indices, values] = &fields[..] else {
        return None;
    };
    let is_sparse = indices.name() == "indices"
        && values.name() == "values"
        && item_of(indices.data_type()).is_some_and(|item| item.is_integer() || item.is_null());
    let values = coerced(Kind::Vector, values.data_type()).filter(|_| is_sparse)?;
    let fields = [types::sparse_fields()[0].data_type().clone(), values];
    let names = ["indices", "values"];
    let fields = names.into_iter().zip(fields);
    Some(DataType::Struct(
        fields
            .map(|(name, data_type)| Field::new(name, data_type, true))
            .collect(),
    ))
}

/// Tells whether a column holds texts, as they are or in a dictionary; binary may hold UTF-8.
fn is_text(data_type: &DataType) -> bool {
    match data_type {
        DataType::Dictionary(_, value) => is_text(value),
        other => {
            other.is_string()
                || matches!(
                    other,
                    DataType::Binary | DataType::LargeBinary | DataType::BinaryView
                )
        }
    }
}

/// Tells whether a column may go into a graph.
fn is_input(data_type: &DataType) -> bool {
    match item_of(data_type) {
        Some(item) => is_input(item),
        None => {
            data_type.is_numeric()
                || data_type.is_null()
                || *data_type == DataType::Boolean
                || is_text(data_type)
        }
    }
}

/// Returns the type of a list's items.
fn item_of(data_type: &DataType) -> Option<&DataType> {
    match data_type {
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::ListView(item)
        | DataType::LargeListView(item)
        | DataType::FixedSizeList(item, _) => Some(item.data_type()),
        _ => None,
    }
}

fn described(kind: Kind) -> &'static str {
    match kind {
        Kind::Text => "a text",
        Kind::Tokens => "a list of texts",
        Kind::Vector => "a list of numbers or a struct of indices and values",
        Kind::Integer => "a whole number",
        Kind::Integers => "a list of whole numbers",
        Kind::Inputs => "numbers, truth values, texts, or lists of them",
        Kind::TextOrTokens => "a text or a list of texts",
        Kind::StopWords => "a constant text or a list of texts",
        Kind::Count | Kind::Number(..) => "a constant whole number",
        Kind::Settings(_) => "a constant struct of settings, such as {hmm: false}",
        Kind::Name(_) | Kind::Tokenizer | Kind::Model(_) => "a constant text",
    }
}

/// Returns what to write instead, where that is clear.
fn hint(kind: Kind, found: &DataType) -> &'static str {
    match (kind, found) {
        (Kind::Text, _) if item_of(found).is_some() => "; array_to_string(list, ' ') joins one",
        (Kind::Text, _) if !found.is_nested() => "; CAST(… AS VARCHAR) makes one",
        (Kind::Tokens, _) if is_text(found) => "; tokenize(text) makes one",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::NoModels;

    const PARAMETERS: Parameters = Parameters {
        function: "tokenize",
        list: &[
            Parameter {
                name: "text",
                kind: Kind::Text,
            },
            Parameter {
                name: "tokenizer",
                kind: Kind::Tokenizer,
            },
        ],
        required: 1,
    };

    fn check(fields: &[(&str, DataType)], constants: &[Option<&ScalarValue>], expected: &str) {
        let fields: Vec<FieldRef> = fields
            .iter()
            .map(|(name, kind)| Arc::new(Field::new(*name, kind.clone(), true)))
            .collect();
        let args = ReturnFieldArgs {
            arg_fields: &fields,
            scalar_arguments: constants,
        };
        let checked = PARAMETERS
            .check(&fields)
            .and_then(|()| PARAMETERS.check_constants(&args, None, &NoModels));
        let message = match checked {
            Ok(_) => "fits".to_owned(),
            Err(error) => error.strip_backtrace(),
        };
        assert_eq!(message, expected);
    }

    #[test]
    fn the_usage_shows_what_may_be_left_out() {
        assert_eq!(PARAMETERS.usage(), "tokenize(text [, tokenizer])");
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let word = ScalarValue::from("word");
        let text = ("t.text", DataType::LargeUtf8);
        check(
            &[],
            &[],
            "Error during planning: tokenize(text [, tokenizer]): expected 1 to 2 arguments, found 0",
        );
        check(
            &[("t.n", DataType::Int64)],
            &[None],
            "Error during planning: tokenize: `text` must be a text, found Int64; CAST(… AS VARCHAR) makes one",
        );
        check(
            &[text.clone(), ("t.name", DataType::Utf8)],
            &[None, None],
            "Error during planning: tokenize: `tokenizer` must be a constant, found `t.name`",
        );
        let words = ScalarValue::from("Words");
        check(
            &[text.clone(), ("Utf8(\"Words\")", DataType::Utf8)],
            &[None, Some(&words)],
            "Error during planning: tokenize: `tokenizer` must be one of char, jieba, jieba_all, jieba_search, sklearn, whitespace, word, regex:… or a model, found `Words`; did you mean `word`?",
        );
        check(
            &[text, ("Utf8(\"word\")", DataType::Utf8)],
            &[None, Some(&word)],
            "fits",
        );
    }

    #[test]
    fn a_dictionary_of_texts_is_a_text_and_keeps_its_encoding() {
        let dictionary = DataType::Dictionary(Box::new(DataType::Int8), Box::new(DataType::Utf8));
        assert_eq!(coerced(Kind::Text, &dictionary), Some(dictionary.clone()));
        assert_eq!(coerced(Kind::Text, &DataType::Null), Some(types::TEXT));
    }

    #[test]
    fn integers_become_doubles_and_the_list_stays_what_it_is() {
        let list = |item: DataType| {
            DataType::FixedSizeList(Arc::new(Field::new_list_field(item, true)), 3)
        };
        assert_eq!(
            coerced(Kind::Vector, &list(DataType::Int8)),
            Some(list(DataType::Float64))
        );
        assert_eq!(
            coerced(Kind::Vector, &list(DataType::Float32)),
            Some(list(DataType::Float32))
        );
        assert_eq!(coerced(Kind::Vector, &list(DataType::Utf8)), None);
    }
}
