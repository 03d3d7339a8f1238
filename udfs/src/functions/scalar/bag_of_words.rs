//! The SQL function `bag_of_words`.

use std::sync::Arc;

use arrow::datatypes::{DataType, FieldRef};
use datafusion_common::{Result, plan_err};
use datafusion_expr::{ColumnarValue, Expr, ReturnFieldArgs, Volatility, expr};

use super::tokenize::Tokenize;
use crate::functions::scalar_function::is_without_model;
use crate::functions::{Args, Declaration, Kind, Parameter, ScalarFunction};
use lexstream_columns::model::Model;
use lexstream_columns::{bag_column, types};

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
    const DECLARATION: Declaration = Declaration {
        name: "bag_of_words",
        family: "Vectors",
        description: "Returns how often each distinct token stands in a list, or in a text that a tokenizer cuts, as List<Struct<term Utf8, count Int64>>, by term in byte order, which is the order of code points. No tokens have an empty list. Over all rows of a group, term_frequencies does the same. A text is cut and counted at once: its tokens are written nowhere. `lexstream` does that for `bag_of_words(tokenize(…))`, too, where a built-in tokenizer's tokens are not used elsewhere.",
        parameters: &[
            Parameter::new(
                "tokens_or_text",
                Kind::TextOrTokens,
                "List of texts, or a text to cut. NULL gives NULL; tokens that are NULL are left out.",
            ),
            Parameter::optional(
                "tokenizer",
                Kind::Tokenizer,
                "A constant, as for tokenize, and for texts alone; `word` by default.",
            ),
            Parameter::TOKENIZER_SETTINGS,
        ],
        example: r"
> select bag_of_words(tokenize('to be or not to be'));
[{term: be, count: 2}, {term: not, count: 1}, {term: or, count: 1}, {term: to, count: 2}]
> select bag_of_words('To be, or not to be', 'sklearn');
[{term: be, count: 2}, {term: not, count: 1}, {term: or, count: 1}, {term: to, count: 2}]
",
        related: &["term_frequencies", "hash_vector"],
    };
    const VOLATILITY: Volatility = Volatility::Stable;

    fn return_type(_: &[FieldRef], _: Option<&dyn Model>) -> Result<DataType> {
        Ok(types::term_counts())
    }

    fn check_together(args: &ReturnFieldArgs<'_>) -> Result<()> {
        Self::DECLARATION.check_tokenizer_settings(args)?;
        if args.arg_fields.len() > 1 && args.arg_fields[0].data_type().is_list() {
            return plan_err!(
                "bag_of_words: a tokenizer is for texts, and `tokens_or_text` is a list of tokens"
            );
        }
        Ok(())
    }

    fn invoke(args: &Args<'_>) -> Result<ColumnarValue> {
        if args.is_list(0) {
            return args.map_token_lists(0, bag_column);
        }
        args.map_to_bag(0, &*args.tokenizer(1)?)
    }
}
