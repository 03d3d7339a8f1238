//! Declaration of a function: its signature, syntax line and reference page from one place.

use datafusion_expr::{DocSection, Documentation};

use super::kind::Kind;
use super::settings::{Setting, SettingKind};
use lexstream_columns::model::Ability;

/// A function's declaration, from which its signature, syntax line and reference page are derived.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Declaration {
    /// Name under which SQL calls it.
    pub name: &'static str,
    /// The page of the reference that it stands on, such as `Words`.
    pub family: &'static str,
    /// What it returns: types, NULL, order, cost, and the formula or library it follows.
    pub description: &'static str,
    /// Its parameters, in order.
    pub parameters: &'static [Parameter],
    /// Queries, each after `> `, and their results, which a test compares.
    pub example: &'static str,
    /// Related functions.
    pub related: &'static [&'static str],
}

/// One parameter of a function.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parameter {
    /// Name in the documentation and in messages.
    pub name: &'static str,
    pub kind: Kind,
    pub description: &'static str,
    /// Whether a call may leave it out; those behind it can be left out, too.
    pub is_optional: bool,
}

impl Parameter {
    /// The model of a function of TF-IDF.
    pub(crate) const TFIDF_MODEL: Self = Self::new(
        "model",
        Kind::Model(Ability::Weigh),
        "A constant: a model of kind `tfidf`, or one version of it, such as `news@2`.",
    );

    /// What a tokenizer may be told.
    pub(crate) const TOKENIZER_SETTINGS: Self = Self::optional(
        "settings",
        Kind::Settings(&[Setting::new("hmm", SettingKind::Flag)]),
        "A constant struct, for jieba's tokenizers: `{hmm: false}` joins no characters that the dictionary does not know as a word.",
    );

    /// Tokens of one text.
    pub(crate) const TOKENS: Self = Self::new(
        "tokens",
        Kind::Tokens,
        "List of texts. NULL gives NULL; tokens that are NULL are left out.",
    );

    /// Two texts that are compared.
    pub(crate) const TWO_TEXTS: &[Self] = &[
        Self::new("text1", Kind::Text, "Text. NULL gives NULL."),
        Self::new("text2", Kind::Text, "The same."),
    ];

    /// Two vectors that are compared.
    pub(crate) const TWO_VECTORS: &[Self] = &[
        Self::new(
            "vector1",
            Kind::Vector,
            "List or fixed-size list of numbers, or a sparse vector: Struct<indices, values>, indices from 0 and ascending. NULL gives NULL, and so does a NULL component.",
        ),
        Self::new(
            "vector2",
            Kind::Vector,
            "The same, of the same length; where one is sparse, no index may lie behind the other.",
        ),
    ];

    /// Returns a parameter that every call has.
    pub(crate) const fn new(name: &'static str, kind: Kind, description: &'static str) -> Self {
        Self {
            name,
            kind,
            description,
            is_optional: false,
        }
    }

    /// Returns a parameter that a call may leave out.
    pub(crate) const fn optional(
        name: &'static str,
        kind: Kind,
        description: &'static str,
    ) -> Self {
        Self {
            is_optional: true,
            ..Self::new(name, kind, description)
        }
    }
}

impl Declaration {
    /// Returns how a call is written, such as `tokenize(text [, tokenizer])`.
    pub(crate) fn usage(&self) -> String {
        let mut usage = format!("{}(", self.name);
        for (at, parameter) in self.parameters.iter().enumerate() {
            let comma = if at > 0 { ", " } else { "" };
            if parameter.is_optional {
                usage.push_str(&format!(" [{comma}{}]", parameter.name));
            } else {
                usage.push_str(comma);
                usage.push_str(parameter.name);
            }
        }
        usage + if self.repeats() { ", …)" } else { ")" }
    }

    /// Returns the documentation in DataFusion's form; `clause` stands behind the call.
    pub(crate) fn documentation(&self, clause: &str) -> Documentation {
        let section = DocSection {
            include: true,
            label: self.family,
            description: None,
        };
        let mut page = Documentation::builder(section, self.description, self.usage() + clause)
            .with_sql_example(format!("```sql\n{}\n```", self.example.trim()));
        for parameter in self.parameters {
            page = page.with_argument(parameter.name, parameter.description);
        }
        for name in self.related {
            page = page.with_related_udf(*name);
        }
        page.build()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INPUTS: &[Parameter] = &[Parameter::new("input", Kind::Inputs, "A number.")];

    fn check(parameters: &'static [Parameter], usage: &str) {
        let declaration = Declaration {
            name: "f",
            family: "Words",
            description: "Returns it.",
            parameters,
            example: "",
            related: &["g"],
        };
        let page = declaration.documentation(" OVER (…)");
        assert_eq!(page.syntax_example, format!("{usage} OVER (…)"));
        let arguments = page.arguments.unwrap_or_default();
        let names: Vec<_> = arguments.iter().map(|(name, _)| name.as_str()).collect();
        assert!(parameters.iter().map(|parameter| parameter.name).eq(names));
    }

    #[test]
    fn the_syntax_shows_what_may_be_left_out_and_what_repeats() {
        check(&[], "f()");
        check(&[Parameter::TOKENS], "f(tokens)");
        check(Parameter::TWO_TEXTS, "f(text1, text2)");
        check(
            &[Parameter::TOKENS, Parameter::TOKENIZER_SETTINGS],
            "f(tokens [, settings])",
        );
        check(INPUTS, "f(input, …)");
    }
}
