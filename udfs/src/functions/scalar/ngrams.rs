//! `ngrams(tokens, n [, max])`.

use arrow::datatypes::{DataType, FieldRef};
use datafusion_common::{Result, ScalarValue, internal_err, plan_err};
use datafusion_expr::{ColumnarValue, Documentation, ReturnFieldArgs};
use datafusion_macros::user_doc;

use crate::functions::{Args, Kind, Parameter, Parameters, ScalarFunction};
use lexstream_columns::model::Model;
use lexstream_columns::types;
use lexstream_text::ngrams::ngrams;

#[user_doc(
    doc_section(label = "Pieces"),
    description = "Returns every run of `n` consecutive tokens, joined by spaces, as List<Utf8>; with `max` every run of `n` to `max`, shorter ones first and each length in the tokens' order, as scikit-learn's `ngram_range=(n, max)`. A list that is shorter than a run has none. A batch may have 2 GiB of them.",
    syntax_example = "ngrams(tokens, n [, max])",
    sql_example = r"```sql
> select ngrams(tokenize('To be, or not!'), 2);
[To be, be or, or not]
> select ngrams(tokenize('To be, or not!'), 1, 2);
[To, be, or, not, To be, be or, or not]
```",
    argument(
        name = "tokens",
        description = "List of texts. NULL gives NULL; tokens that are NULL are left out."
    ),
    argument(
        name = "n",
        description = "Tokens in a run, the fewest where `max` is there: a constant of at least 1."
    ),
    argument(
        name = "max",
        description = "The most tokens in a run: a constant of at least `n`; `n` by default."
    ),
    related_udf(name = "char_ngrams"),
    related_udf(name = "tokenize")
)]
#[derive(Debug)]
pub(crate) struct Ngrams;

impl ScalarFunction for Ngrams {
    const PARAMETERS: Parameters = Parameters {
        function: "ngrams",
        list: &[
            Parameter {
                name: "tokens",
                kind: Kind::Tokens,
            },
            Parameter {
                name: "n",
                kind: Kind::Count,
            },
            Parameter {
                name: "max",
                kind: Kind::Count,
            },
        ],
        required: 2,
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

    fn documentation() -> Option<&'static Documentation> {
        Self.doc()
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
