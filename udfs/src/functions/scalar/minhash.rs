//! The SQL function `minhash`.

use arrow::datatypes::{DataType, FieldRef};
use datafusion_common::{Result, ScalarValue, internal_err};
use datafusion_expr::{ColumnarValue, ReturnFieldArgs};

use crate::functions::{Args, Declaration, Kind, Parameter, ScalarFunction};
use lexstream_columns::model::Model;
use lexstream_columns::{minhash_column, types};
use lexstream_text::sketches::MinHash;

#[derive(Debug)]
pub(crate) struct MinHashOfTokens;

impl ScalarFunction for MinHashOfTokens {
    const DECLARATION: Declaration = Declaration {
        name: "minhash",
        family: "Likeness",
        description: "Returns the MinHash signature of a list of tokens (Broder 1997), as FixedSizeList<Int32> of `hashes` numbers. Two lists agree in each number with the probability of their Jaccard similarity: minhash_similarity estimates it with a standard error of at most 1 / (2 √hashes), minhash_bands makes near duplicates an equi-join. Number i is the least of mix(x ⊕ s) over the tokens, as unsigned numbers of 32 bits: x is the low half of the token's XXH64 with the seed, s the high half of output i of SplitMix64 from the seed, mix the last step of MurmurHash3 x86_32; its bits are the Int32. How often a token stands in the list does not matter. No tokens give -1 throughout. Signatures of the same arguments never change.",
        parameters: &[
            Parameter::TOKENS,
            Parameter::new(
                "hashes",
                Kind::Number(1, 65_536),
                "A constant from 1 to 65536: how many numbers a signature has, such as 128.",
            ),
            Parameter::optional(
                "seed",
                Kind::Number(i64::MIN, i64::MAX),
                "A constant whole number, 0 by default. Only signatures of one seed can be compared.",
            ),
        ],
        example: r"
> select minhash(tokenize('to be or not to be'), 4);
[155149886, 477390855, 104692745, 100224100]
",
        related: &["minhash_bands", "minhash_similarity", "simhash"],
    };

    fn return_type(_: &[FieldRef], _: Option<&dyn Model>) -> Result<DataType> {
        internal_err!("minhash: the length is known to return_type_of")
    }

    fn return_type_of(args: &ReturnFieldArgs<'_>, _: Option<&dyn Model>) -> Result<DataType> {
        match args.scalar_arguments.get(1).copied().flatten() {
            Some(ScalarValue::Int64(Some(hashes))) => Ok(types::signatures(*hashes as i32)),
            _ => internal_err!("minhash: planning has checked the number of hashes"),
        }
    }

    fn invoke(args: &Args<'_>) -> Result<ColumnarValue> {
        let (Some(hashes), seed) = (args.number(1)?, args.number(2)?.unwrap_or(0)) else {
            return internal_err!("minhash: planning has checked the number of hashes");
        };
        let minhash = MinHash::new(hashes as usize, seed as u64);
        args.map_token_lists(0, |lists| minhash_column(lists, hashes as i32, &minhash))
    }
}
