//! The SQL function `stem`.

use arrow::datatypes::{DataType, FieldRef};
use datafusion_common::Result;
use datafusion_expr::ColumnarValue;

use crate::functions::{Args, Declaration, Kind, Parameter, ScalarFunction};
use lexstream_columns::model::Model;
use lexstream_columns::types;
use lexstream_text::stem::LANGUAGES;

#[derive(Debug)]
pub(crate) struct Stem;

impl ScalarFunction for Stem {
    const DECLARATION: Declaration = Declaration {
        name: "stem",
        family: "Words",
        description: "Returns the stem of a token, as Utf8View, or of every token of a list, as List<Utf8>, by the Snowball algorithm of the language, as the Snowball project's Python package snowballstemmer 3.1 gives it. The algorithms know lower-case letters only: lower(text) comes first. NLTK's SnowballStemmer differs: in English it gives `organ` for `organizations` and `intern` for `international` (here `organiz`, `internat`), `ad` for `added`, `past` for `pasting` (here `add`, `paste`); it keeps Italian elisions (`l'amiciz`) and German `'s`, reads Latin letters as Cyrillic in Russian, and follows older algorithms in Arabic, Dutch, French, Hungarian, Portuguese, Romanian and Swedish.",
        parameters: &[
            Parameter::new(
                "token",
                Kind::TextOrTokens,
                "A text that is one token, or a list of them. NULL gives NULL; tokens of a list that are NULL are left out.",
            ),
            Parameter::new(
                "language",
                Kind::Name(LANGUAGES),
                "A constant: an ISO 639-1 code that has a stemmer, such as `en` or `de`; an error lists them.",
            ),
        ],
        example: r"
> select stem('relational', 'en');
relat
> select stem(tokenize('les grandes maisons'), 'fr');
[le, grand, maison]
",
        related: &["tokenize"],
    };

    fn return_type(fields: &[FieldRef], _: Option<&dyn Model>) -> Result<DataType> {
        Ok(if fields[0].data_type().is_list() {
            types::tokens()
        } else {
            types::TEXT
        })
    }

    fn invoke(args: &Args<'_>) -> Result<ColumnarValue> {
        let stemmer = args.stemmer(1)?;
        args.map_texts_or_tokens(0, |token| stemmer.stem(token))
    }
}
