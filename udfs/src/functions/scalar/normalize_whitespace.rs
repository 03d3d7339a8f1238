//! The SQL function `normalize_whitespace`.

use arrow::datatypes::{DataType, FieldRef};
use datafusion_common::Result;
use datafusion_expr::ColumnarValue;

use crate::functions::{Args, Declaration, Kind, Parameter, ScalarFunction};
use lexstream_columns::model::Model;
use lexstream_columns::types;
use lexstream_text::white_space::normalize_spaces;

#[derive(Debug)]
pub(crate) struct NormalizeWhitespace;

impl ScalarFunction for NormalizeWhitespace {
    const DECLARATION: Declaration = Declaration {
        name: "normalize_whitespace",
        family: "Words",
        description: "Returns a text with one space for every run of white space and none at its ends, as Utf8View: what Python's `' '.join(text.split())` gives. White space is what has Unicode's property White_Space, and the four separators U+001C to U+001F. A text that is so already is not copied.",
        parameters: &[Parameter::new("text", Kind::Text, "Text. NULL gives NULL.")],
        example: r"
> select normalize_whitespace('  to   be  ');
to be
",
        related: &["normalize_text"],
    };

    fn return_type(_: &[FieldRef], _: Option<&dyn Model>) -> Result<DataType> {
        Ok(types::TEXT)
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
