//! The SQL function `sentences`.

use arrow::datatypes::{DataType, FieldRef};
use datafusion_common::Result;
use datafusion_expr::ColumnarValue;

use crate::functions::{Args, Declaration, Kind, Parameter, ScalarFunction};
use lexstream_columns::model::Model;
use lexstream_columns::types;
use lexstream_text::sentences::SentenceBounds;

#[derive(Debug)]
pub(crate) struct Sentences;

impl ScalarFunction for Sentences {
    const DECLARATION: Declaration = Declaration {
        name: "sentences",
        family: "Pieces",
        description: "Returns the sentences of a text, in order, as List<Utf8>: cut by the rules of Unicode Standard Annex #29, without the white space around them; blank ones are left out. The rules know no abbreviations: «Dr. Wu» is cut, «e.g. this» is not. A line break ends a sentence.",
        parameters: &[Parameter::new(
            "text",
            Kind::Text,
            "Text to cut. NULL gives NULL.",
        )],
        example: r"
> select sentences('Is it? Yes! It is.');
[Is it?, Yes!, It is.]
",
        related: &[],
    };

    fn return_type(_: &[FieldRef], _: Option<&dyn Model>) -> Result<DataType> {
        Ok(types::tokens())
    }

    fn invoke(args: &Args<'_>) -> Result<ColumnarValue> {
        args.map_to_tokens(0, &SentenceBounds)
    }
}
