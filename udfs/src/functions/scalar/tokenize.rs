//! The SQL function `tokenize`.

use arrow::datatypes::{DataType, FieldRef};
use datafusion_common::Result;
use datafusion_expr::{ColumnarValue, ReturnFieldArgs, Volatility};

use crate::functions::{Args, Declaration, Kind, Parameter, ScalarFunction};
use lexstream_columns::model::Model;
use lexstream_columns::types;

#[derive(Debug)]
pub(crate) struct Tokenize;

impl ScalarFunction for Tokenize {
    const DECLARATION: Declaration = Declaration {
        name: "tokenize",
        family: "Words",
        description: "Returns the tokens of a text, in order, as List<Utf8>. Empty text has none. A batch may have 2 GiB of tokens; past that an error says which batch size fits. Words and characters follow Unicode Standard Annex #29; `sklearn` agrees with scikit-learn's CountVectorizer, `jieba`, `jieba_search` and `jieba_all` with jieba (white space and punctuation are tokens there; `jieba_all` has no empty ones).",
        parameters: &[
            Parameter::new("text", Kind::Text, "Text to cut. NULL gives NULL."),
            Parameter::optional(
                "tokenizer",
                Kind::Tokenizer,
                "A constant: `word` (the default: words by UAX #29, case kept), `whitespace` (what stands between white space), `char` (grapheme clusters) `sklearn` (lower case, runs of two or more word characters), `jieba` (Chinese words; the first use loads the dictionary), `jieba_search` (the words inside long words too), `jieba_all` (every word there is), `regex:…` (every match of a regular expression that is not empty, in the syntax of the crate regex), or a model that is a tokenizer.",
            ),
            Parameter::TOKENIZER_SETTINGS,
        ],
        example: r"
> select tokenize('To be, or not!');
[To, be, or, not]
> select tokenize('To be, or not!', 'whitespace');
[To, be,, or, not!]
> select tokenize('他来到北京清华大学', 'jieba');
[他, 来到, 北京, 清华大学]
> select tokenize('杭研大厦', 'jieba', {hmm: false});
[杭, 研, 大厦]
> select tokenize('3 dogs, 12 cats', 'regex:[0-9]+');
[3, 12]
",
        related: &["token_count"],
    };
    const VOLATILITY: Volatility = Volatility::Stable;

    fn return_type(_: &[FieldRef], _: Option<&dyn Model>) -> Result<DataType> {
        Ok(types::tokens())
    }

    fn check_together(args: &ReturnFieldArgs<'_>) -> Result<()> {
        Self::DECLARATION.check_tokenizer_settings(args)
    }

    fn invoke(args: &Args<'_>) -> Result<ColumnarValue> {
        args.map_to_tokens(0, &*args.tokenizer(1)?)
    }
}
