//! The SQL function `strip_html`.

use arrow::datatypes::{DataType, FieldRef};
use datafusion_common::Result;
use datafusion_expr::ColumnarValue;

use crate::functions::{Args, Declaration, Kind, Parameter, ScalarFunction};
use lexstream_columns::model::Model;
use lexstream_columns::types;
use lexstream_text::html::{is_plain, strip_html};

#[derive(Debug)]
pub(crate) struct StripHtml;

impl ScalarFunction for StripHtml {
    const DECLARATION: Declaration = Declaration {
        name: "strip_html",
        family: "Words",
        description: "Returns the text of HTML, as Utf8View: tags and comments gone, character references resolved, the contents of `script`, `style`, `iframe`, `noembed` and `noframes` dropped. It is read as a browser reads it, by the tokenizer of the HTML standard (the crate html5ever), so nothing is an error: `a < b` stays, `a <b` opens an element. Paragraphs, list items, table cells and other elements that begin a line of their own have a line feed between them; other white space stays, and normalize_whitespace takes it away. A text without markup is not copied.",
        parameters: &[Parameter::new(
            "text",
            Kind::Text,
            "HTML, a page or a part of one. NULL gives NULL.",
        )],
        example: r"
> select strip_html('<p>Fish &amp; <b>chips</b></p><script>pay()</script>');
Fish & chips
",
        related: &["normalize_whitespace"],
    };

    fn return_type(_: &[FieldRef], _: Option<&dyn Model>) -> Result<DataType> {
        Ok(types::TEXT)
    }

    fn invoke(args: &Args<'_>) -> Result<ColumnarValue> {
        let mut stripped = String::new();
        args.map_to_text(0, |text, out| {
            if is_plain(text.value) {
                return out.unchanged(&text);
            }
            stripped.clear();
            strip_html(text.value, &mut stripped);
            out.built(&stripped)
        })
    }
}
