//! `cosine_similarity(vector1, vector2)`.

use arrow::datatypes::{DataType, FieldRef};
use datafusion_common::Result;
use datafusion_expr::{ColumnarValue, Documentation};
use datafusion_macros::user_doc;

use crate::functions::{Args, Parameters, ScalarFunction};
use lexstream_columns::Metric;
use lexstream_columns::model::Model;
use lexstream_text::vectors::{self, Component, Entries};

#[user_doc(
    doc_section(label = "Vectors"),
    description = "Returns the cosine of the angle between two vectors, a·b / (‖a‖·‖b‖), as Float64 from -1 to 1. A vector of length zero has no direction: the result is NULL. Sums are in double precision.",
    syntax_example = "cosine_similarity(vector1, vector2)",
    sql_example = r"```sql
> select cosine_similarity([1.0, 2.0], [2.0, 1.0]);
0.8
```",
    argument(
        name = "vector1",
        description = "List or fixed-size list of numbers, or a sparse vector: Struct<indices, values>, indices from 0 and ascending. NULL gives NULL, and so does a NULL component."
    ),
    argument(
        name = "vector2",
        description = "The same, of the same length; where one is sparse, no index may lie behind the other."
    )
)]
#[derive(Debug)]
pub(crate) struct CosineSimilarity;

impl Metric for CosineSimilarity {
    fn measure<A: Component, B: Component>(&self, a: &[A], b: &[B]) -> Option<f64> {
        vectors::cosine_similarity(a, b)
    }

    fn measure_entries(&self, a: impl Entries, b: impl Entries) -> Option<f64> {
        vectors::cosine_similarity_of_entries(a, b)
    }
}

impl ScalarFunction for CosineSimilarity {
    const PARAMETERS: Parameters = Parameters::two_vectors("cosine_similarity");

    fn return_type(arguments: &[FieldRef], _: Option<&dyn Model>) -> Result<DataType> {
        Self::PARAMETERS.check_lengths(arguments)?;
        Ok(DataType::Float64)
    }

    fn documentation() -> Option<&'static Documentation> {
        Self.doc()
    }

    fn invoke(args: &Args<'_>) -> Result<ColumnarValue> {
        args.measure(&Self)
    }
}
