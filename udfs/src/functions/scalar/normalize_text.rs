//! `normalize_text(text [, form])`.

use arrow::datatypes::{DataType, FieldRef};
use datafusion_common::Result;
use datafusion_expr::{ColumnarValue, Documentation};
use datafusion_macros::user_doc;

use crate::functions::{Args, Kind, Parameter, Parameters, ScalarFunction};
use lexstream_columns::model::Model;
use lexstream_columns::types;
use lexstream_text::normal_form::NormalForm;

#[user_doc(
    doc_section(label = "Words"),
    description = "Returns a text in a Unicode normalization form (Unicode Standard Annex #15), as Utf8View. Two texts that look alike are equal in the same form. A text that is in the form already is not copied.",
    syntax_example = "normalize_text(text [, form])",
    sql_example = r"```sql
> select normalize_text('ﬁne ①');
fine 1
```",
    argument(name = "text", description = "Text to normalize. NULL gives NULL."),
    argument(
        name = "form",
        description = "A constant: `nfc`, `nfd`, `nfkc` (the default) or `nfkd`. The forms with k also open ligatures, full-width forms and other variants."
    )
)]
#[derive(Debug)]
pub(crate) struct NormalizeText;

impl ScalarFunction for NormalizeText {
    const PARAMETERS: Parameters = Parameters {
        function: "normalize_text",
        list: &[
            Parameter {
                name: "text",
                kind: Kind::Text,
            },
            Parameter {
                name: "form",
                kind: Kind::Name(NormalForm::NAMES),
            },
        ],
        required: 1,
    };

    fn return_type(_: &[FieldRef], _: Option<&dyn Model>) -> Result<DataType> {
        Ok(types::TEXT)
    }

    fn documentation() -> Option<&'static Documentation> {
        Self.doc()
    }

    fn invoke(args: &Args<'_>) -> Result<ColumnarValue> {
        let form = args.normal_form(1)?;
        let mut normal = String::new();
        args.map_to_text(0, |text, out| {
            if form.surely_holds(text.value) {
                return out.unchanged(&text);
            }
            normal.clear();
            form.normalize(text.value, &mut normal);
            out.built(&normal)
        })
    }
}
