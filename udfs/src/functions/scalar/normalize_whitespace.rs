//! `normalize_whitespace(text)`.

use arrow::datatypes::{DataType, FieldRef};
use datafusion_common::Result;
use datafusion_expr::{ColumnarValue, Documentation};
use datafusion_macros::user_doc;

use crate::functions::{Args, Parameters, ScalarFunction};
use lexstream_columns::model::Model;
use lexstream_columns::types;
use lexstream_text::white_space::normalize_spaces;

#[user_doc(
    doc_section(label = "Words"),
    description = "Returns a text with one space for every run of white space and none at its ends, as Utf8View: what Python's `' '.join(text.split())` gives. White space is what has Unicode's property White_Space, and the four separators U+001C to U+001F. A text that is so already is not copied.",
    syntax_example = "normalize_whitespace(text)",
    sql_example = r"```sql
> select normalize_whitespace('  to   be  ');
to be
```",
    argument(name = "text", description = "Text. NULL gives NULL."),
    related_udf(name = "normalize_text")
)]
#[derive(Debug)]
pub(crate) struct NormalizeWhitespace;

impl ScalarFunction for NormalizeWhitespace {
    const PARAMETERS: Parameters = Parameters::text("normalize_whitespace");

    fn return_type(_: &[FieldRef], _: Option<&dyn Model>) -> Result<DataType> {
        Ok(types::TEXT)
    }

    fn documentation() -> Option<&'static Documentation> {
        Self.doc()
    }

    fn invoke(args: &Args<'_>) -> Result<ColumnarValue> {
        let mut normal = String::new();
        args.map_to_text(0, |text, out| {
            normal.clear();
            normalize_spaces(text.value, &mut normal);
            if normal == text.value {
                return out.unchanged(&text);
            }
            out.built(&normal)
        })
    }
}
