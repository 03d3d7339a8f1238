//! `detect_language_score(text)`.

use arrow::datatypes::{DataType, FieldRef};
use datafusion_common::Result;
use datafusion_expr::{ColumnarValue, Documentation};
use datafusion_macros::user_doc;

use crate::functions::{Args, Parameters, ScalarFunction};
use lexstream_columns::model::Model;
use lexstream_columns::{detected_column, types};

#[user_doc(
    doc_section(label = "Words"),
    description = "Returns the language of a text as detect_language finds it, and how sure it is, as Struct<language Utf8, confidence Float64>; NULL where there is none. The confidence is whatlang's, from 0 to 1: it grows with the length of the text and with the distance from the next language, and is 1 where the script decides. Below 0.3 whatlang is not sure, and the language may be whichlang's, which says nothing of the kind: of short texts with a higher one 99 % were right.",
    syntax_example = "detect_language_score(text)",
    sql_example = r"```sql
> select detect_language_score('火车站在哪里？');
{language: zh, confidence: 1.0}
> select detect_language_score('Niemand ging ans Telefon')['confidence'] < 0.3;
true
```",
    argument(name = "text", description = "Text. NULL gives NULL."),
    related_udf(name = "detect_language")
)]
#[derive(Debug)]
pub(crate) struct DetectLanguageScore;

impl ScalarFunction for DetectLanguageScore {
    const PARAMETERS: Parameters = Parameters::text("detect_language_score");

    fn return_type(_: &[FieldRef], _: Option<&dyn Model>) -> Result<DataType> {
        Ok(types::detected())
    }

    fn documentation() -> Option<&'static Documentation> {
        Self.doc()
    }

    fn invoke(args: &Args<'_>) -> Result<ColumnarValue> {
        args.map_texts(0, |texts| Ok(detected_column(texts)?))
    }
}
