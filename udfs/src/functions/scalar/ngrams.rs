//! The SQL function `ngrams`.

use arrow::datatypes::{DataType, FieldRef};
use datafusion_common::{Result, ScalarValue, internal_err, plan_err};
use datafusion_expr::{ColumnarValue, ReturnFieldArgs};

use crate::functions::{Args, Declaration, Kind, Parameter, ScalarFunction};
use lexstream_columns::model::Model;
use lexstream_columns::types;
use lexstream_text::ngrams::ngrams;

#[derive(Debug)]
pub(crate) struct Ngrams;

impl ScalarFunction for Ngrams {
    const DECLARATION: Declaration = Declaration {
        name: "ngrams",
        family: "Pieces",
        description: "Returns every run of `n` consecutive tokens, joined by spaces, as List<Utf8>; with `max` every run of `n` to `max`, shorter ones first and each length in the tokens' order, as scikit-learn's `ngram_range=(n, max)`. A list that is shorter than a run has none. A batch may have 2 GiB of them.",
        parameters: &[
            Parameter::TOKENS,
            Parameter::new(
                "n",
                Kind::Count,
                "Tokens in a run, the fewest where `max` is there: a constant of at least 1.",
            ),
            Parameter::optional(
                "max",
                Kind::Count,
                "The most tokens in a run: a constant of at least `n`; `n` by default.",
            ),
        ],
        example: r"
> select ngrams(tokenize('To be, or not!'), 2);
[To be, be or, or not]
> select ngrams(tokenize('To be, or not!'), 1, 2);
[To, be, or, not, To be, be or, or not]
",
        related: &["char_ngrams", "tokenize"],
    };

    fn return_type(_: &[FieldRef], _: Option<&dyn Model>) -> Result<DataType> {
        Ok(types::tokens())
    }

    fn check_together(args: &ReturnFieldArgs<'_>) -> Result<()> {
        let constant = |at: usize| args.scalar_arguments.get(at).copied().flatten();
        if let (Some(ScalarValue::Int64(Some(n))), Some(ScalarValue::Int64(Some(max)))) =
            (constant(1), constant(2))
            && max < n
        {
            return plan_err!("ngrams: `max` must be at least `n`, {n}, found {max}");
        }
        Ok(())
    }

    fn invoke(args: &Args<'_>) -> Result<ColumnarValue> {
        let Some(min) = args.count(1)? else {
            return internal_err!("ngrams: `n` was not checked at planning");
        };
        let max = args.count(2)?.unwrap_or(min);
        args.map_tokens(0, |tokens, text, spans| {
            ngrams(tokens.iter(), min, max, text, spans);
        })
    }
}
