//! `simhash(tokens)`.

use arrow::datatypes::{DataType, FieldRef};
use datafusion_common::Result;
use datafusion_expr::{ColumnarValue, Documentation};
use datafusion_macros::user_doc;

use crate::functions::{Args, Kind, Parameter, Parameters, ScalarFunction};
use lexstream_columns::model::Model;
use lexstream_columns::simhash_column;

#[user_doc(
    doc_section(label = "Likeness"),
    description = "Returns the SimHash of a list of tokens (Charikar 2002), as Int64: bit i is 1 where more tokens than not have it in their XXH64 with seed 0; a token counts as often as it stands there. Lists that are alike differ in few bits, which hamming_distance counts. No tokens give 0. The hash of the same tokens never changes.",
    syntax_example = "simhash(tokens)",
    sql_example = r"```sql
> select hamming_distance(simhash(tokenize('to be or not to be')), simhash(tokenize('to be or to be')));
9
```",
    argument(
        name = "tokens",
        description = "List of texts. NULL gives NULL; tokens that are NULL are left out."
    ),
    related_udf(name = "hamming_distance"),
    related_udf(name = "minhash")
)]
#[derive(Debug)]
pub(crate) struct SimHash;

impl ScalarFunction for SimHash {
    const PARAMETERS: Parameters = Parameters {
        function: "simhash",
        list: &[Parameter {
            name: "tokens",
            kind: Kind::Tokens,
        }],
        required: 1,
    };

    fn return_type(_: &[FieldRef], _: Option<&dyn Model>) -> Result<DataType> {
        Ok(DataType::Int64)
    }

    fn documentation() -> Option<&'static Documentation> {
        Self.doc()
    }

    fn invoke(args: &Args<'_>) -> Result<ColumnarValue> {
        args.map_token_lists(0, simhash_column)
    }
}
