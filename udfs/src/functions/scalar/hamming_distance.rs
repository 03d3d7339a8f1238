//! The SQL function `hamming_distance`.

use arrow::datatypes::{DataType, FieldRef};
use datafusion_common::Result;
use datafusion_expr::ColumnarValue;

use crate::functions::{Args, Declaration, Kind, Parameter, ScalarFunction};
use lexstream_columns::distance_column;
use lexstream_columns::model::Model;

#[derive(Debug)]
pub(crate) struct HammingDistance;

impl ScalarFunction for HammingDistance {
    const DECLARATION: Declaration = Declaration {
        name: "hamming_distance",
        family: "Likeness",
        description: "Returns how many bits of two whole numbers differ, as Int64 from 0 to 64; numbers of fewer bits are extended with their sign.",
        parameters: &[
            Parameter::new(
                "hash1",
                Kind::Integer,
                "Whole number, such as simhash gives. NULL gives NULL.",
            ),
            Parameter::new("hash2", Kind::Integer, "The same."),
        ],
        example: r"
> select hamming_distance(5, 6);
2
",
        related: &["simhash"],
    };

    fn return_type(_: &[FieldRef], _: Option<&dyn Model>) -> Result<DataType> {
        Ok(DataType::Int64)
    }

    fn invoke(args: &Args<'_>) -> Result<ColumnarValue> {
        args.map_two(distance_column)
    }
}
