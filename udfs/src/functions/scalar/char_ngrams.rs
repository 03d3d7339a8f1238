//! The SQL function `char_ngrams`.

use arrow::datatypes::{DataType, FieldRef};
use datafusion_common::{Result, internal_err};
use datafusion_expr::ColumnarValue;

use crate::functions::{Args, Declaration, Kind, Parameter, ScalarFunction};
use lexstream_columns::model::Model;
use lexstream_columns::types;
use lexstream_text::ngrams::CharNgrams;

#[derive(Debug)]
pub(crate) struct CharNgramsOfText;

impl ScalarFunction for CharNgramsOfText {
    const DECLARATION: Declaration = Declaration {
        name: "char_ngrams",
        family: "Pieces",
        description: "Returns every run of `n` consecutive code points of a text, in order, as List<Utf8>; a shorter text has none. A run of two or more white-space characters counts as one space: with lower(text) the result is that of scikit-learn's `analyzer='char'`. A batch may have 2 GiB of them.",
        parameters: &[
            Parameter::new("text", Kind::Text, "Text to cut. NULL gives NULL."),
            Parameter::new(
                "n",
                Kind::Count,
                "Code points in each: a constant of at least 1.",
            ),
        ],
        example: r"
> select char_ngrams('to be', 3);
[to , o b,  be]
",
        related: &["ngrams"],
    };

    fn return_type(_: &[FieldRef], _: Option<&dyn Model>) -> Result<DataType> {
        Ok(types::tokens())
    }

    fn invoke(args: &Args<'_>) -> Result<ColumnarValue> {
        match args.count(1)? {
            Some(n) => args.map_to_tokens(0, &CharNgrams(n)),
            None => internal_err!("char_ngrams: `n` was not checked at planning"),
        }
    }
}
