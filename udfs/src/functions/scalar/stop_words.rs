//! `stop_words(language)`.

use arrow::datatypes::{DataType, FieldRef};
use datafusion_common::Result;
use datafusion_expr::{ColumnarValue, Documentation};
use datafusion_macros::user_doc;

use crate::functions::{Args, Kind, Parameter, Parameters, ScalarFunction};
use lexstream_columns::model::Model;
use lexstream_columns::types;
use lexstream_text::stop_words::LANGUAGES;

#[user_doc(
    doc_section(label = "Words"),
    description = "Returns the stop words of a language, as List<Utf8>: NLTK's list, in its order, which the crate stop-words keeps.",
    syntax_example = "stop_words(language)",
    sql_example = r"```sql
> select array_slice(stop_words('de'), 1, 4);
[aber, alle, allem, allen]
```",
    argument(
        name = "language",
        description = "A constant: an ISO 639-1 code that has a list, such as `en` or `zh`, or `hinglish`; an error lists them."
    ),
    related_udf(name = "remove_stop_words")
)]
#[derive(Debug)]
pub(crate) struct StopWordsOfLanguage;

impl ScalarFunction for StopWordsOfLanguage {
    const PARAMETERS: Parameters = Parameters {
        function: "stop_words",
        list: &[Parameter {
            name: "language",
            kind: Kind::Name(LANGUAGES),
        }],
        required: 1,
    };

    fn return_type(_: &[FieldRef], _: Option<&dyn Model>) -> Result<DataType> {
        Ok(types::tokens())
    }

    fn documentation() -> Option<&'static Documentation> {
        Self.doc()
    }

    fn invoke(args: &Args<'_>) -> Result<ColumnarValue> {
        args.token_list(args.stop_words(0)?)
    }
}
