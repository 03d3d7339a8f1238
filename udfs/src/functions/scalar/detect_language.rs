//! The SQL function `detect_language`.

use arrow::datatypes::{DataType, FieldRef};
use datafusion_common::Result;
use datafusion_expr::ColumnarValue;

use crate::functions::{Args, Declaration, Kind, Parameter, ScalarFunction};
use lexstream_columns::model::Model;
use lexstream_columns::{language_column, types};

#[derive(Debug)]
pub(crate) struct DetectLanguage;

impl ScalarFunction for DetectLanguage {
    const DECLARATION: Declaration = Declaration {
        name: "detect_language",
        family: "Words",
        description: r"Returns the language of a text as a code of ISO 639-1, such as `en` or `zh`, as Utf8View; NULL for a text without letters of a language that is known, empty text among them. The first 4 KiB decide.

whatlang, which knows 70 languages, decides where it is sure (a confidence of 0.3 and more, which paragraphs have); on short texts it is not, and whichlang decides, which knows Arabic, Chinese, Dutch, English, French, German, Hindi, Italian, Japanese, Korean, Portuguese, Russian, Spanish, Swedish, Turkish and Vietnamese, where the text is in its language's script and has no other letters. So short texts in these are told well, and short ones in a neighbour of theirs may be taken for one of them: of 40 sentences in Bulgarian, Catalan, Croatian, Danish, Hungarian, Indonesian, Norwegian and Romanian 20 were told right, 28 by whatlang alone.

How often the crates were right, on sentences of 3 to 6 words and on paragraphs of our own in the 16 languages and Czech, Finnish, Greek, Polish and Ukrainian, with their speed on one core:

| | sentences | those in the 16 | paragraphs | MB/s of sentences, paragraphs | program |
|---|---|---|---|---|---|
| whatlang 0.18.0 | 82 % | 81 % | 100 % | 0.9, 4.8 | 1 MB |
| whichlang 0.1.1 | 76 % | 100 % | 76 % | 85, 95 | 1 MB |
| lingua 1.8.0, of these 21 languages | 98 % | 98 % | 100 % | 0.2, 0.6 | 100 MB |
| whatlang, then whichlang: as here | 93 % | 99 % | 100 % | 0.9, 4.8 | 1 MB |",
        parameters: &[Parameter::new("text", Kind::Text, "Text. NULL gives NULL.")],
        example: r"
> select detect_language('Wo ist der Bahnhof?');
de
> select detect_language('42');
NULL
",
        related: &["detect_language_score"],
    };

    fn return_type(_: &[FieldRef], _: Option<&dyn Model>) -> Result<DataType> {
        Ok(types::TEXT)
    }

    fn invoke(args: &Args<'_>) -> Result<ColumnarValue> {
        args.map_texts(0, |texts| Ok(language_column(texts)))
    }
}
