//! `minhash(tokens, hashes [, seed])`.

use arrow::datatypes::{DataType, FieldRef};
use datafusion_common::{Result, ScalarValue, internal_err};
use datafusion_expr::{ColumnarValue, Documentation, ReturnFieldArgs};
use datafusion_macros::user_doc;

use crate::functions::{Args, Kind, Parameter, Parameters, ScalarFunction};
use lexstream_columns::model::Model;
use lexstream_columns::{minhash_column, types};
use lexstream_text::sketches::MinHash;

#[user_doc(
    doc_section(label = "Likeness"),
    description = "Returns the MinHash signature of a list of tokens (Broder 1997), as FixedSizeList<Int32> of `hashes` numbers. Two lists agree in each number with the probability of their Jaccard similarity: minhash_similarity estimates it with a standard error of at most 1 / (2 √hashes), minhash_bands makes near duplicates an equi-join. Number i is the least of mix(x ⊕ s) over the tokens, as unsigned numbers of 32 bits: x is the low half of the token's XXH64 with the seed, s the high half of output i of SplitMix64 from the seed, mix the last step of MurmurHash3 x86_32; its bits are the Int32. How often a token stands in the list does not matter. No tokens give -1 throughout. Signatures of the same arguments never change.",
    syntax_example = "minhash(tokens, hashes [, seed])",
    sql_example = r"```sql
> select minhash(tokenize('to be or not to be'), 4);
[155149886, 477390855, 104692745, 100224100]
```",
    argument(
        name = "tokens",
        description = "List of texts. NULL gives NULL; tokens that are NULL are left out."
    ),
    argument(
        name = "hashes",
        description = "A constant from 1 to 65536: how many numbers a signature has, such as 128."
    ),
    argument(
        name = "seed",
        description = "A constant whole number, 0 by default. Only signatures of one seed can be compared."
    ),
    related_udf(name = "minhash_bands"),
    related_udf(name = "minhash_similarity"),
    related_udf(name = "simhash")
)]
#[derive(Debug)]
pub(crate) struct MinHashOfTokens;

impl ScalarFunction for MinHashOfTokens {
    const PARAMETERS: Parameters = Parameters {
        function: "minhash",
        list: &[
            Parameter {
                name: "tokens",
                kind: Kind::Tokens,
            },
            Parameter {
                name: "hashes",
                kind: Kind::Number(1, 65_536),
            },
            Parameter {
                name: "seed",
                kind: Kind::Number(i64::MIN, i64::MAX),
            },
        ],
        required: 2,
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

    fn documentation() -> Option<&'static Documentation> {
        Self.doc()
    }

    fn invoke(args: &Args<'_>) -> Result<ColumnarValue> {
        let (Some(hashes), seed) = (args.number(1)?, args.number(2)?.unwrap_or(0)) else {
            return internal_err!("minhash: planning has checked the number of hashes");
        };
        let minhash = MinHash::new(hashes as usize, seed as u64);
        args.map_token_lists(0, |lists| minhash_column(lists, hashes as i32, &minhash))
    }
}
