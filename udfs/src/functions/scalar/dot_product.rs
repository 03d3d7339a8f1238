//! `dot_product(vector1, vector2)`.

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
    description = "Returns the dot product of two vectors, the sum of aᵢ·bᵢ, as Float64; of two empty vectors it is 0. Sums are in double precision. It is DataFusion's inner_product, and takes Float32 vectors without a cast.",
    syntax_example = "dot_product(vector1, vector2)",
    sql_example = r"```sql
> select dot_product([1.0, 2.0], [3.0, 4.0]);
11.0
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
pub(crate) struct DotProduct;

impl Metric for DotProduct {
    fn measure<A: Component, B: Component>(&self, a: &[A], b: &[B]) -> Option<f64> {
        Some(vectors::dot_product(a, b))
    }

    fn measure_entries(&self, a: impl Entries, b: impl Entries) -> Option<f64> {
        Some(vectors::dot_product_of_entries(a, b))
    }
}

impl ScalarFunction for DotProduct {
    const PARAMETERS: Parameters = Parameters::two_vectors("dot_product");

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
