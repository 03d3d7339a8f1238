//! The SQL function `strip_accents`.

use arrow::datatypes::{DataType, FieldRef};
use datafusion_common::Result;
use datafusion_expr::ColumnarValue;

use crate::functions::{Args, Declaration, Kind, Parameter, ScalarFunction};
use lexstream_columns::model::Model;
use lexstream_columns::types;
use lexstream_text::accents::strip_accents;

#[derive(Debug)]
pub(crate) struct StripAccents;

impl ScalarFunction for StripAccents {
    const DECLARATION: Declaration = Declaration {
        name: "strip_accents",
        family: "Words",
        description: "Returns a text without its accents, as Utf8View: decomposed (NFKD) and without combining marks, as scikit-learn's `strip_accents='unicode'` does. The decomposition also opens ligatures and full-width forms. Letters that do not decompose, such as ø and ł, stay. A text in ASCII is not copied.",
        parameters: &[Parameter::new("text", Kind::Text, "Text. NULL gives NULL.")],
        example: r"
> select strip_accents('Crème brûlée');
Creme brulee
",
        related: &["normalize_text"],
    };

    fn return_type(_: &[FieldRef], _: Option<&dyn Model>) -> Result<DataType> {
        Ok(types::TEXT)
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
