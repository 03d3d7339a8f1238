//! The SQL function `hash_vector`.

use std::num::NonZeroI32;

use arrow::datatypes::{DataType, FieldRef};
use datafusion_common::{Result, internal_err};
use datafusion_expr::ColumnarValue;

use crate::functions::{Args, Declaration, Kind, Parameter, ScalarFunction};
use lexstream_columns::model::Model;
use lexstream_columns::{hash_vector_column, types};

#[derive(Debug)]
pub(crate) struct HashVector;

impl ScalarFunction for HashVector {
    const DECLARATION: Declaration = Declaration {
        name: "hash_vector",
        family: "Vectors",
        description: "Returns the sparse vector of a list of tokens without a vocabulary, as Struct<indices List<Int32>, values List<Float32>>, by feature hashing (Weinberger et al. 2009), as scikit-learn's `HashingVectorizer(norm=None)` makes it: with h the MurmurHash3 x86_32 (seed 0) of a token as a signed number, each token adds the sign of h at the index |h| mod `dimension`. Indices ascend; what cancels out is left out. No tokens have no entries.",
        parameters: &[
            Parameter::TOKENS,
            Parameter::new(
                "dimension",
                Kind::Number(1, i32::MAX as i64),
                "A constant from 1 to 2147483647: how many components a vector has. The more, the fewer tokens share one.",
            ),
        ],
        example: r"
> select hash_vector(tokenize('to be or not to be'), 1000);
{indices: [286, 691, 935, 988], values: [-2.0, 2.0, 1.0, 1.0]}
",
        related: &["bag_of_words", "cosine_similarity"],
    };

    fn return_type(_: &[FieldRef], _: Option<&dyn Model>) -> Result<DataType> {
        Ok(types::sparse_vectors())
    }

    fn invoke(args: &Args<'_>) -> Result<ColumnarValue> {
        let dimension = args
            .number(1)?
            .and_then(|number| NonZeroI32::new(number as i32));
        let Some(dimension) = dimension else {
            return internal_err!("hash_vector: planning has checked the dimension");
        };
        args.map_token_lists(0, |lists| hash_vector_column(lists, dimension))
    }
}
