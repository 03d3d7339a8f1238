//! `minhash_similarity(signature1, signature2)`.

use arrow::datatypes::{DataType, FieldRef};
use datafusion_common::Result;
use datafusion_expr::{ColumnarValue, Documentation};
use datafusion_macros::user_doc;

use crate::functions::{Args, Kind, Parameter, Parameters, ScalarFunction};
use lexstream_columns::model::Model;
use lexstream_columns::similarity_column;

#[user_doc(
    doc_section(label = "Likeness"),
    description = "Returns the share of places in which two MinHash signatures agree, as Float64 from 0 to 1: an estimate of the Jaccard similarity of their tokens, with a standard error of √(s (1 − s) / hashes) for the similarity s.",
    syntax_example = "minhash_similarity(signature1, signature2)",
    sql_example = r"```sql
> select minhash_similarity(minhash(tokenize('to be or not'), 128), minhash(tokenize('not to be'), 128));
0.7109375
```",
    argument(
        name = "signature1",
        description = "List or fixed-size list of whole numbers, as minhash gives them. NULL gives NULL, also inside a signature."
    ),
    argument(
        name = "signature2",
        description = "The same, of the same length and seed."
    ),
    related_udf(name = "jaccard_similarity"),
    related_udf(name = "minhash")
)]
#[derive(Debug)]
pub(crate) struct MinHashSimilarity;

impl ScalarFunction for MinHashSimilarity {
    const PARAMETERS: Parameters = Parameters {
        function: "minhash_similarity",
        list: &[
            Parameter {
                name: "signature1",
                kind: Kind::Integers,
            },
            Parameter {
                name: "signature2",
                kind: Kind::Integers,
            },
        ],
        required: 2,
    };

    fn return_type(arguments: &[FieldRef], _: Option<&dyn Model>) -> Result<DataType> {
        Self::PARAMETERS.check_lengths(arguments)?;
        Ok(DataType::Float64)
    }

    fn documentation() -> Option<&'static Documentation> {
        Self.doc()
    }

    fn invoke(args: &Args<'_>) -> Result<ColumnarValue> {
        args.map_two(similarity_column)
    }
}
