//! The SQL function `minhash_bands`.

use arrow::datatypes::{DataType, FieldRef};
use datafusion_common::{Result, ScalarValue, internal_err, plan_err};
use datafusion_expr::{ColumnarValue, ReturnFieldArgs};

use crate::functions::{Args, Declaration, Kind, Parameter, ScalarFunction};
use lexstream_columns::model::Model;
use lexstream_columns::{band_column, types};

#[derive(Debug)]
pub(crate) struct MinHashBands;

impl ScalarFunction for MinHashBands {
    const DECLARATION: Declaration = Declaration {
        name: "minhash_bands",
        family: "Likeness",
        description: "Returns a hash of each of `bands` equal parts of a MinHash signature, as List<Int64>. Two texts that share one are candidates for near duplicates: with r numbers a band, texts of Jaccard similarity s share a band with probability 1 − (1 − sʳ)ᵇᵃⁿᵈˢ (Leskovec, Rajaraman, Ullman, Mining of Massive Datasets, section 3.4), so unnest(minhash_bands(…)) turns the search into an equi-join. The hash is the XXH64 of the band's numbers, 8 bytes each from the lowest, with the band's place from 0 as the seed: equal numbers in different bands do not meet. It never changes.",
        parameters: &[
            Parameter::new(
                "signature",
                Kind::Integers,
                "List or fixed-size list of whole numbers, as minhash gives them. NULL gives NULL, also inside a signature.",
            ),
            Parameter::new(
                "bands",
                Kind::Count,
                "A constant of at least 1 that divides the length of the signature.",
            ),
        ],
        example: r"
> select minhash_bands(minhash(tokenize('to be or not to be'), 4), 2);
[-5308121889750110276, -8763508480010155792]
",
        related: &["minhash", "minhash_similarity"],
    };

    fn return_type(_: &[FieldRef], _: Option<&dyn Model>) -> Result<DataType> {
        Ok(types::hashes())
    }

    fn check_together(args: &ReturnFieldArgs<'_>) -> Result<()> {
        let bands = args.scalar_arguments.get(1).copied().flatten();
        if let (DataType::FixedSizeList(_, length), Some(ScalarValue::Int64(Some(bands)))) =
            (args.arg_fields[0].data_type(), bands)
            && (*length == 0 || i64::from(*length) % bands != 0)
        {
            return plan_err!(
                "minhash_bands: `bands` must divide the length of the signature, {length}, found {bands}"
            );
        }
        Ok(())
    }

    fn invoke(args: &Args<'_>) -> Result<ColumnarValue> {
        let Some(count) = args.count(1)? else {
            return internal_err!("minhash_bands: planning has checked the number of bands");
        };
        args.map_column(0, |signatures| band_column(signatures, count.get()))
    }
}
