//! The SQL function `minhash_similarity`.

use arrow::datatypes::{DataType, FieldRef};
use datafusion_common::Result;
use datafusion_expr::ColumnarValue;

use crate::functions::{Args, Declaration, Kind, Parameter, ScalarFunction};
use lexstream_columns::model::Model;
use lexstream_columns::similarity_column;

#[derive(Debug)]
pub(crate) struct MinHashSimilarity;

impl ScalarFunction for MinHashSimilarity {
    const DECLARATION: Declaration = Declaration {
        name: "minhash_similarity",
        family: "Likeness",
        description: "Returns the share of places in which two MinHash signatures agree, as Float64 from 0 to 1: an estimate of the Jaccard similarity of their tokens, with a standard error of √(s (1 − s) / hashes) for the similarity s.",
        parameters: &[
            Parameter::new(
                "signature1",
                Kind::Integers,
                "List or fixed-size list of whole numbers, as minhash gives them. NULL gives NULL, also inside a signature.",
            ),
            Parameter::new(
                "signature2",
                Kind::Integers,
                "The same, of the same length and seed.",
            ),
        ],
        example: r"
> select minhash_similarity(minhash(tokenize('to be or not'), 128), minhash(tokenize('not to be'), 128));
0.7109375
",
        related: &["jaccard_similarity", "minhash"],
    };

    fn return_type(arguments: &[FieldRef], _: Option<&dyn Model>) -> Result<DataType> {
        Self::DECLARATION.check_lengths(arguments)?;
        Ok(DataType::Float64)
    }

    fn invoke(args: &Args<'_>) -> Result<ColumnarValue> {
        args.map_two(similarity_column)
    }
}
