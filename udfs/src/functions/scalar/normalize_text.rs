//! The SQL function `normalize_text`.

use arrow::datatypes::{DataType, FieldRef};
use datafusion_common::Result;
use datafusion_expr::ColumnarValue;

use crate::functions::{Args, Declaration, Kind, Parameter, ScalarFunction};
use lexstream_columns::model::Model;
use lexstream_columns::types;
use lexstream_text::normal_form::NormalForm;

#[derive(Debug)]
pub(crate) struct NormalizeText;

impl ScalarFunction for NormalizeText {
    const DECLARATION: Declaration = Declaration {
        name: "normalize_text",
        family: "Words",
        description: "Returns a text in a Unicode normalization form (Unicode Standard Annex #15), as Utf8View. Two texts that look alike are equal in the same form. A text that is in the form already is not copied.",
        parameters: &[
            Parameter::new("text", Kind::Text, "Text to normalize. NULL gives NULL."),
            Parameter::optional(
                "form",
                Kind::Name(NormalForm::NAMES),
                "A constant: `nfc`, `nfd`, `nfkc` (the default) or `nfkd`. The forms with k also open ligatures, full-width forms and other variants.",
            ),
        ],
        example: r"
> select normalize_text('ﬁne ①');
fine 1
",
        related: &[],
    };

    fn return_type(_: &[FieldRef], _: Option<&dyn Model>) -> Result<DataType> {
        Ok(types::TEXT)
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
