//! `char_ngrams(text, n)`.

use arrow::datatypes::{DataType, FieldRef};
use datafusion_common::{Result, internal_err};
use datafusion_expr::{ColumnarValue, Documentation};
use datafusion_macros::user_doc;

use crate::functions::{Args, Kind, Parameter, Parameters, ScalarFunction};
use lexstream_columns::model::Model;
use lexstream_columns::types;
use lexstream_text::ngrams::CharNgrams;

#[user_doc(
    doc_section(label = "Pieces"),
    description = "Returns every run of `n` consecutive code points of a text, in order, as List<Utf8>; a shorter text has none. A run of two or more white-space characters counts as one space: with lower(text) the result is that of scikit-learn's `analyzer='char'`. A batch may have 2 GiB of them.",
    syntax_example = "char_ngrams(text, n)",
    sql_example = r"```sql
> select char_ngrams('to be', 3);
[to , o b,  be]
```",
    argument(name = "text", description = "Text to cut. NULL gives NULL."),
    argument(
        name = "n",
        description = "Code points in each: a constant of at least 1."
    ),
    related_udf(name = "ngrams")
)]
#[derive(Debug)]
pub(crate) struct CharNgramsOfText;

impl ScalarFunction for CharNgramsOfText {
    const PARAMETERS: Parameters = Parameters {
        function: "char_ngrams",
        list: &[
            Parameter {
                name: "text",
                kind: Kind::Text,
            },
            Parameter {
                name: "n",
                kind: Kind::Count,
            },
        ],
        required: 2,
    };

    fn return_type(_: &[FieldRef], _: Option<&dyn Model>) -> Result<DataType> {
        Ok(types::tokens())
    }

    fn documentation() -> Option<&'static Documentation> {
        Self.doc()
    }

    fn invoke(args: &Args<'_>) -> Result<ColumnarValue> {
        match args.count(1)? {
            Some(n) => args.map_to_tokens(0, &CharNgrams(n)),
            None => internal_err!("char_ngrams: `n` was not checked at planning"),
        }
    }
}
