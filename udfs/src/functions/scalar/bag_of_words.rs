//! `bag_of_words(tokens)`.

use arrow::datatypes::{DataType, FieldRef};
use datafusion_common::Result;
use datafusion_expr::{ColumnarValue, Documentation};
use datafusion_macros::user_doc;

use crate::columns::{bag_column, types};
use crate::functions::{Args, Kind, Parameter, Parameters, ScalarFunction};
use crate::model::Model;

#[user_doc(
    doc_section(label = "Vectors"),
    description = "Returns how often each distinct token stands in a list, as List<Struct<term Utf8, count Int64>>, by term in byte order, which is the order of code points. No tokens have an empty list. Over all rows of a group, term_frequencies does the same.",
    syntax_example = "bag_of_words(tokens)",
    sql_example = r"```sql
> select bag_of_words(tokenize('to be or not to be'));
[{term: be, count: 2}, {term: not, count: 1}, {term: or, count: 1}, {term: to, count: 2}]
```",
    argument(
        name = "tokens",
        description = "List of texts. NULL gives NULL; tokens that are NULL are left out."
    ),
    related_udf(name = "term_frequencies"),
    related_udf(name = "hash_vector")
)]
#[derive(Debug)]
pub(crate) struct BagOfWords;

impl ScalarFunction for BagOfWords {
    const PARAMETERS: Parameters = Parameters {
        function: "bag_of_words",
        list: &[Parameter {
            name: "tokens",
            kind: Kind::Tokens,
        }],
        required: 1,
    };

    fn return_type(_: &[FieldRef], _: Option<&dyn Model>) -> Result<DataType> {
        Ok(types::term_counts())
    }

    fn documentation() -> Option<&'static Documentation> {
        Self.doc()
    }

    fn invoke(args: &Args<'_>) -> Result<ColumnarValue> {
        args.map_token_lists(0, bag_column)
    }
}
