//! `sentences(text)`.

use arrow::datatypes::{DataType, FieldRef};
use datafusion_common::Result;
use datafusion_expr::{ColumnarValue, Documentation};
use datafusion_macros::user_doc;

use crate::functions::{Args, Parameters, ScalarFunction};
use lexstream_columns::model::Model;
use lexstream_columns::types;
use lexstream_text::sentences::SentenceBounds;

#[user_doc(
    doc_section(label = "Pieces"),
    description = "Returns the sentences of a text, in order, as List<Utf8>: cut by the rules of Unicode Standard Annex #29, without the white space around them; blank ones are left out. The rules know no abbreviations: «Dr. Wu» is cut, «e.g. this» is not. A line break ends a sentence.",
    syntax_example = "sentences(text)",
    sql_example = r"```sql
> select sentences('Is it? Yes! It is.');
[Is it?, Yes!, It is.]
```",
    argument(name = "text", description = "Text to cut. NULL gives NULL.")
)]
#[derive(Debug)]
pub(crate) struct Sentences;

impl ScalarFunction for Sentences {
    const PARAMETERS: Parameters = Parameters::text("sentences");

    fn return_type(_: &[FieldRef], _: Option<&dyn Model>) -> Result<DataType> {
        Ok(types::tokens())
    }

    fn documentation() -> Option<&'static Documentation> {
        Self.doc()
    }

    fn invoke(args: &Args<'_>) -> Result<ColumnarValue> {
        args.map_to_tokens(0, &SentenceBounds)
    }
}
