//! Type coercion and checks of arguments against a declaration.

use arrow::datatypes::{DataType, FieldRef};
use datafusion_common::{Result, plan_err};
use datafusion_expr::ReturnFieldArgs;

use super::declaration::{Declaration, Parameter};
use super::kind::{Kind, coerced, described, hint, is_text};
use lexstream_columns::model::{Model, Weighed};
use lexstream_text::tokenizers;

impl Declaration {
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
                self.name,
                tokenizers::WITH_HMM.join(", ")
            );
        }
        Ok(())
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
                self.name
            );
        }
        Ok(())
    }

    /// Returns the type each argument is cast to, one by one: a cast around a constant would hide it from planning.
    ///
    /// An argument that does not fit keeps its type; [`Declaration::check`] says what is wrong with it.
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
    pub(super) fn at(&self, at: usize) -> Option<&'static Parameter> {
        let last = self.parameters.last().filter(|_| self.repeats());
        self.parameters.get(at).or(last)
    }

    /// Tells whether the last parameter may stand any number of times.
    pub(super) fn repeats(&self) -> bool {
        let last = self.parameters.last();
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
                self.name,
                self.parameters[at].name,
                model.id()
            );
        }
        Ok(())
    }

    /// Refuses a call with the wrong number of arguments, or an argument of the wrong type.
    pub(crate) fn check(&self, fields: &[FieldRef]) -> Result<()> {
        let required = self.parameters.iter().filter(|of| !of.is_optional).count();
        let too_many = fields.len() > self.parameters.len() && !self.repeats();
        if fields.len() < required || too_many {
            let number = match self.parameters.len() {
                _ if self.repeats() => format!("{required} or more"),
                most if most == required => most.to_string(),
                most => format!("{required} to {most}"),
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
            let Some(Parameter { name, kind, .. }) = self.at(at) else {
                continue;
            };
            if coerced(*kind, field.data_type()).is_none() {
                return plan_err!(
                    "{}: `{name}` must be {}, found {}{}",
                    self.name,
                    described(*kind),
                    field.data_type(),
                    hint(*kind, field.data_type())
                );
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::datatypes::Field;
    use datafusion_common::ScalarValue;

    use super::*;
    use lexstream_columns::model::NoModels;

    const DECLARATION: Declaration = Declaration {
        name: "tokenize",
        family: "Words",
        description: "Returns tokens.",
        parameters: &[
            Parameter::new("text", Kind::Text, "Text to cut."),
            Parameter::optional("tokenizer", Kind::Tokenizer, "What cuts it."),
        ],
        example: "",
        related: &[],
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
        let checked = DECLARATION
            .check(&fields)
            .and_then(|()| DECLARATION.check_constants(&args, None, &NoModels));
        let message = match checked {
            Ok(_) => "fits".to_owned(),
            Err(error) => error.strip_backtrace(),
        };
        assert_eq!(message, expected);
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
}
