//! The SQL function `simhash`.

use arrow::datatypes::{DataType, FieldRef};
use datafusion_common::Result;
use datafusion_expr::ColumnarValue;

use crate::functions::{Args, Declaration, Parameter, ScalarFunction};
use lexstream_columns::model::Model;
use lexstream_columns::simhash_column;

#[derive(Debug)]
pub(crate) struct SimHash;

impl ScalarFunction for SimHash {
    const DECLARATION: Declaration = Declaration {
        name: "simhash",
        family: "Likeness",
        description: "Returns the SimHash of a list of tokens (Charikar 2002), as Int64: bit i is 1 where more tokens than not have it in their XXH64 with seed 0; a token counts as often as it stands there. Lists that are alike differ in few bits, which hamming_distance counts. No tokens give 0. The hash of the same tokens never changes.",
        parameters: &[Parameter::TOKENS],
        example: r"
> select hamming_distance(simhash(tokenize('to be or not to be')), simhash(tokenize('to be or to be')));
9
",
        related: &["hamming_distance", "minhash"],
    };

    fn return_type(_: &[FieldRef], _: Option<&dyn Model>) -> Result<DataType> {
        Ok(DataType::Int64)
    }

    fn invoke(args: &Args<'_>) -> Result<ColumnarValue> {
        args.map_token_lists(0, |lists| Ok(simhash_column(lists)))
    }
}
