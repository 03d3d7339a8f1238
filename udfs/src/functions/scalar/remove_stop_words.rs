//! `remove_stop_words(tokens, words)`.

use arrow::datatypes::{DataType, FieldRef};
use datafusion_common::Result;
use datafusion_expr::{ColumnarValue, Documentation};
use datafusion_macros::user_doc;

use crate::functions::{Args, Kind, Parameter, Parameters, ScalarFunction};
use lexstream_columns::model::Model;
use lexstream_columns::{keep, types};
use lexstream_text::stop_words::StopWords;

#[user_doc(
    doc_section(label = "Words"),
    description = "Returns the tokens of a list that are no stop words, in order, as List<Utf8>. Words are compared in lower case and as a whole: what tokenize cuts in two, such as `don't` by `sklearn`, is not found in a list that has it in one.",
    syntax_example = "remove_stop_words(tokens, words)",
    sql_example = r"```sql
> select remove_stop_words(tokenize('The cat is on the mat'), 'en');
[cat, mat]
> select remove_stop_words(tokenize('The cat is on the mat'), ['the', 'cat']);
[is, on, mat]
```",
    argument(
        name = "tokens",
        description = "List of texts. NULL gives NULL; tokens that are NULL are left out."
    ),
    argument(
        name = "words",
        description = "A constant that names a language, as for stop_words, or a list of texts. A list that is NULL gives NULL."
    ),
    related_udf(name = "stop_words")
)]
#[derive(Debug)]
pub(crate) struct RemoveStopWords;

impl ScalarFunction for RemoveStopWords {
    const PARAMETERS: Parameters = Parameters {
        function: "remove_stop_words",
        list: &[
            Parameter {
                name: "tokens",
                kind: Kind::Tokens,
            },
            Parameter {
                name: "words",
                kind: Kind::StopWords,
            },
        ],
        required: 2,
    };

    fn return_type(_: &[FieldRef], _: Option<&dyn Model>) -> Result<DataType> {
        Ok(types::tokens())
    }

    fn documentation() -> Option<&'static Documentation> {
        Self.doc()
    }

    fn invoke(args: &Args<'_>) -> Result<ColumnarValue> {
        if args.is_list(1) {
            return args.remove_words(0, 1);
        }
        let words = StopWords::new(args.stop_words(1)?.iter().copied());
        args.map_tokens(0, |tokens, text, spans| keep(tokens, &words, text, spans))
    }
}
