//! `hamming_distance(hash1, hash2)`.

use arrow::datatypes::{DataType, FieldRef};
use datafusion_common::Result;
use datafusion_expr::{ColumnarValue, Documentation};
use datafusion_macros::user_doc;

use crate::functions::{Args, Kind, Parameter, Parameters, ScalarFunction};
use lexstream_columns::distance_column;
use lexstream_columns::model::Model;

#[user_doc(
    doc_section(label = "Likeness"),
    description = "Returns how many bits of two whole numbers differ, as Int64 from 0 to 64; numbers of fewer bits are extended with their sign.",
    syntax_example = "hamming_distance(hash1, hash2)",
    sql_example = r"```sql
> select hamming_distance(5, 6);
2
```",
    argument(
        name = "hash1",
        description = "Whole number, such as simhash gives. NULL gives NULL."
    ),
    argument(name = "hash2", description = "The same."),
    related_udf(name = "simhash")
)]
#[derive(Debug)]
pub(crate) struct HammingDistance;

impl ScalarFunction for HammingDistance {
    const PARAMETERS: Parameters = Parameters {
        function: "hamming_distance",
        list: &[
            Parameter {
                name: "hash1",
                kind: Kind::Integer,
            },
            Parameter {
                name: "hash2",
                kind: Kind::Integer,
            },
        ],
        required: 2,
    };

    fn return_type(_: &[FieldRef], _: Option<&dyn Model>) -> Result<DataType> {
        Ok(DataType::Int64)
    }

    fn documentation() -> Option<&'static Documentation> {
        Self.doc()
    }

    fn invoke(args: &Args<'_>) -> Result<ColumnarValue> {
        args.map_two(distance_column)
    }
}
