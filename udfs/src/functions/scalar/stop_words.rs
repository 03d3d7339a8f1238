//! The SQL function `stop_words`.

use arrow::datatypes::{DataType, FieldRef};
use datafusion_common::Result;
use datafusion_expr::ColumnarValue;

use crate::functions::{Args, Declaration, Kind, Parameter, ScalarFunction};
use lexstream_columns::model::Model;
use lexstream_columns::types;
use lexstream_text::stop_words::LANGUAGES;

#[derive(Debug)]
pub(crate) struct StopWordsOfLanguage;

impl ScalarFunction for StopWordsOfLanguage {
    const DECLARATION: Declaration = Declaration {
        name: "stop_words",
        family: "Words",
        description: "Returns the stop words of a language, as List<Utf8>: NLTK's list, in its order, which the crate stop-words keeps.",
        parameters: &[Parameter::new(
            "language",
            Kind::Name(LANGUAGES),
            "A constant: an ISO 639-1 code that has a list, such as `en` or `zh`, or `hinglish`; an error lists them.",
        )],
        example: r"
> select array_slice(stop_words('de'), 1, 4);
[aber, alle, allem, allen]
",
        related: &["remove_stop_words"],
    };

    fn return_type(_: &[FieldRef], _: Option<&dyn Model>) -> Result<DataType> {
        Ok(types::tokens())
    }

    fn invoke(args: &Args<'_>) -> Result<ColumnarValue> {
        args.token_list(args.stop_words(0)?)
    }
}
