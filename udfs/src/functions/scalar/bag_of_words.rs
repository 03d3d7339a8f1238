//! `bag_of_words(tokens)`, `bag_of_words(text [, tokenizer] [, settings])`.

use std::sync::Arc;

use arrow::datatypes::{DataType, FieldRef};
use datafusion_common::{Result, plan_err};
use datafusion_expr::{ColumnarValue, Documentation, Expr, ReturnFieldArgs, Volatility, expr};
use datafusion_macros::user_doc;

use super::tokenize::Tokenize;
use crate::functions::scalar_function::is_without_model;
use crate::functions::{Args, Parameters, ScalarFunction};
use lexstream_columns::model::Model;
use lexstream_columns::{bag_column, types};

#[user_doc(
    doc_section(label = "Vectors"),
    description = "Returns how often each distinct token stands in a list, or in a text that a tokenizer cuts, as List<Struct<term Utf8, count Int64>>, by term in byte order, which is the order of code points. No tokens have an empty list. Over all rows of a group, term_frequencies does the same. A text is cut and counted at once: its tokens are written nowhere. `lexstream` does that for `bag_of_words(tokenize(…))`, too, where a built-in tokenizer's tokens are not used elsewhere.",
    syntax_example = "bag_of_words(tokens | text [, tokenizer] [, settings])",
    sql_example = r"```sql
> select bag_of_words(tokenize('to be or not to be'));
[{term: be, count: 2}, {term: not, count: 1}, {term: or, count: 1}, {term: to, count: 2}]
> select bag_of_words('To be, or not to be', 'sklearn');
[{term: be, count: 2}, {term: not, count: 1}, {term: or, count: 1}, {term: to, count: 2}]
```",
    argument(
        name = "tokens_or_text",
        description = "List of texts, or a text to cut. NULL gives NULL; tokens that are NULL are left out."
    ),
    argument(
        name = "tokenizer",
        description = "A constant, as for tokenize, and for texts alone; `word` by default."
    ),
    argument(
        name = "settings",
        description = "A constant struct, for jieba's tokenizers: `{hmm: false}` joins no characters that the dictionary does not know as a word."
    ),
    related_udf(name = "term_frequencies"),
    related_udf(name = "hash_vector")
)]
#[derive(Debug)]
pub(crate) struct BagOfWords;

/// Returns what a call `bag_of_words(tokenize(…))` is without the tokens, none for any other.
///
/// That is for an optimiser that knows that nobody else takes those tokens, and only where a built-in tokenizer makes them: a
/// model is pinned to the call that names it. A parameter's type is not known yet: it may turn out to be what `tokenize` refuses.
pub fn without_tokens(call: &Expr) -> Option<Expr> {
    let Expr::ScalarFunction(bag) = call else {
        return None;
    };
    let [Expr::ScalarFunction(tokens)] = &bag.args[..] else {
        return None;
    };
    if let [Expr::Placeholder(_), ..] = &tokens.args[..] {
        return None;
    }
    let is_ours =
        is_without_model::<BagOfWords>(&bag.func) && is_without_model::<Tokenize>(&tokens.func);
    is_ours.then(|| {
        let function = Arc::clone(&bag.func);
        Expr::ScalarFunction(expr::ScalarFunction::new_udf(function, tokens.args.clone()))
    })
}

impl ScalarFunction for BagOfWords {
    const PARAMETERS: Parameters = Parameters::text_or_tokens_and_tokenizer("bag_of_words");
    const VOLATILITY: Volatility = Volatility::Stable;

    fn return_type(_: &[FieldRef], _: Option<&dyn Model>) -> Result<DataType> {
        Ok(types::term_counts())
    }

    fn check_together(args: &ReturnFieldArgs<'_>) -> Result<()> {
        Self::PARAMETERS.check_tokenizer_settings(args)?;
        if args.arg_fields.len() > 1 && args.arg_fields[0].data_type().is_list() {
            return plan_err!(
                "bag_of_words: a tokenizer is for texts, and `tokens_or_text` is a list of tokens"
            );
        }
        Ok(())
    }

    fn documentation() -> Option<&'static Documentation> {
        Self.doc()
    }

    fn invoke(args: &Args<'_>) -> Result<ColumnarValue> {
        if args.is_list(0) {
            return args.map_token_lists(0, bag_column);
        }
        args.map_to_bag(0, &*args.tokenizer(1)?)
    }
}
