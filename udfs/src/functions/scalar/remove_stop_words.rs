//! The SQL function `remove_stop_words`.

use arrow::datatypes::{DataType, FieldRef};
use datafusion_common::Result;
use datafusion_expr::ColumnarValue;

use crate::functions::{Args, Declaration, Kind, Parameter, ScalarFunction};
use lexstream_columns::model::Model;
use lexstream_columns::{keep, types};
use lexstream_text::stop_words::StopWords;

#[derive(Debug)]
pub(crate) struct RemoveStopWords;

impl ScalarFunction for RemoveStopWords {
    const DECLARATION: Declaration = Declaration {
        name: "remove_stop_words",
        family: "Words",
        description: "Returns the tokens of a list that are no stop words, in order, as List<Utf8>. Words are compared in lower case and as a whole: what tokenize cuts in two, such as `don't` by `sklearn`, is not found in a list that has it in one.",
        parameters: &[
            Parameter::TOKENS,
            Parameter::new(
                "words",
                Kind::StopWords,
                "A constant that names a language, as for stop_words, or a list of texts. A list that is NULL gives NULL.",
            ),
        ],
        example: r"
> select remove_stop_words(tokenize('The cat is on the mat'), 'en');
[cat, mat]
> select remove_stop_words(tokenize('The cat is on the mat'), ['the', 'cat']);
[is, on, mat]
",
        related: &["stop_words"],
    };

    fn return_type(_: &[FieldRef], _: Option<&dyn Model>) -> Result<DataType> {
        Ok(types::tokens())
    }

    fn invoke(args: &Args<'_>) -> Result<ColumnarValue> {
        if args.is_list(1) {
            return args.remove_words(0, 1);
        }
        let words = StopWords::new(args.stop_words(1)?.iter().copied());
        args.map_tokens(0, |tokens, text, spans| keep(tokens, &words, text, spans))
    }
}
