//! `strip_html(text)`.

use arrow::datatypes::{DataType, FieldRef};
use datafusion_common::Result;
use datafusion_expr::{ColumnarValue, Documentation};
use datafusion_macros::user_doc;

use crate::functions::{Args, Parameters, ScalarFunction};
use lexstream_columns::model::Model;
use lexstream_columns::types;
use lexstream_text::html::{is_plain, strip_html};

#[user_doc(
    doc_section(label = "Words"),
    description = "Returns the text of HTML, as Utf8View: tags and comments gone, character references resolved, the contents of `script`, `style`, `iframe`, `noembed` and `noframes` dropped. It is read as a browser reads it, by the tokenizer of the HTML standard (the crate html5ever), so nothing is an error: `a < b` stays, `a <b` opens an element. Paragraphs, list items, table cells and other elements that begin a line of their own have a line feed between them; other white space stays, and normalize_whitespace takes it away. A text without markup is not copied.",
    syntax_example = "strip_html(text)",
    sql_example = r"```sql
> select strip_html('<p>Fish &amp; <b>chips</b></p><script>pay()</script>');
Fish & chips
```",
    argument(
        name = "text",
        description = "HTML, a page or a part of one. NULL gives NULL."
    ),
    related_udf(name = "normalize_whitespace")
)]
#[derive(Debug)]
pub(crate) struct StripHtml;

impl ScalarFunction for StripHtml {
    const PARAMETERS: Parameters = Parameters::text("strip_html");

    fn return_type(_: &[FieldRef], _: Option<&dyn Model>) -> Result<DataType> {
        Ok(types::TEXT)
    }

    fn documentation() -> Option<&'static Documentation> {
        Self.doc()
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
