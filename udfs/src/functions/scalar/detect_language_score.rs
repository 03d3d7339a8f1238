//! The SQL function `detect_language_score`.

use arrow::datatypes::{DataType, FieldRef};
use datafusion_common::Result;
use datafusion_expr::ColumnarValue;

use crate::functions::{Args, Declaration, Kind, Parameter, ScalarFunction};
use lexstream_columns::model::Model;
use lexstream_columns::{detected_column, types};

#[derive(Debug)]
pub(crate) struct DetectLanguageScore;

impl ScalarFunction for DetectLanguageScore {
    const DECLARATION: Declaration = Declaration {
        name: "detect_language_score",
        family: "Words",
        description: "Returns the language of a text as detect_language finds it, and how sure it is, as Struct<language Utf8, confidence Float64>; NULL where there is none. The confidence is whatlang's, from 0 to 1: it grows with the length of the text and with the distance from the next language, and is 1 where the script decides. Below 0.3 whatlang is not sure, and the language may be whichlang's, which says nothing of the kind: of short texts with a higher one 99 % were right.",
        parameters: &[Parameter::new("text", Kind::Text, "Text. NULL gives NULL.")],
        example: r"
> select detect_language_score('火车站在哪里？');
{language: zh, confidence: 1.0}
> select detect_language_score('Niemand ging ans Telefon')['confidence'] < 0.3;
true
",
        related: &["detect_language"],
    };

    fn return_type(_: &[FieldRef], _: Option<&dyn Model>) -> Result<DataType> {
        Ok(types::detected())
    }

    fn invoke(args: &Args<'_>) -> Result<ColumnarValue> {
        args.map_texts(0, |texts| Ok(detected_column(texts)?))
    }
}
