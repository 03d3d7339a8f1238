//! `strip_accents(text)`.

use arrow::datatypes::{DataType, FieldRef};
use datafusion_common::Result;
use datafusion_expr::{ColumnarValue, Documentation};
use datafusion_macros::user_doc;

use crate::functions::{Args, Parameters, ScalarFunction};
use lexstream_columns::model::Model;
use lexstream_columns::types;
use lexstream_text::accents::strip_accents;

#[user_doc(
    doc_section(label = "Words"),
    description = "Returns a text without its accents, as Utf8View: decomposed (NFKD) and without combining marks, as scikit-learn's `strip_accents='unicode'` does. The decomposition also opens ligatures and full-width forms. Letters that do not decompose, such as ø and ł, stay. A text in ASCII is not copied.",
    syntax_example = "strip_accents(text)",
    sql_example = r"```sql
> select strip_accents('Crème brûlée');
Creme brulee
```",
    argument(name = "text", description = "Text. NULL gives NULL."),
    related_udf(name = "normalize_text")
)]
#[derive(Debug)]
pub(crate) struct StripAccents;

impl ScalarFunction for StripAccents {
    const PARAMETERS: Parameters = Parameters::text("strip_accents");

    fn return_type(_: &[FieldRef], _: Option<&dyn Model>) -> Result<DataType> {
        Ok(types::TEXT)
    }

    fn documentation() -> Option<&'static Documentation> {
        Self.doc()
    }

    fn invoke(args: &Args<'_>) -> Result<ColumnarValue> {
        let mut stripped = String::new();
        args.map_to_text(0, |text, out| {
            if text.value.is_ascii() {
                return out.unchanged(&text);
            }
            stripped.clear();
            strip_accents(text.value, &mut stripped);
            out.built(&stripped)
        })
    }
}
