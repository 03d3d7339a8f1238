//! `tokenize(text [, tokenizer] [, settings])`.

use arrow::datatypes::{DataType, FieldRef};
use datafusion_common::Result;
use datafusion_expr::{ColumnarValue, Documentation, ReturnFieldArgs, Volatility};
use datafusion_macros::user_doc;

use crate::functions::{Args, Parameters, ScalarFunction};
use lexstream_columns::model::Model;
use lexstream_columns::types;

#[user_doc(
    doc_section(label = "Words"),
    description = "Returns the tokens of a text, in order, as List<Utf8>. Empty text has none. A batch may have 2 GiB of tokens; past that an error says which batch size fits. Words and characters follow Unicode Standard Annex #29; `sklearn` agrees with scikit-learn's CountVectorizer, `jieba`, `jieba_search` and `jieba_all` with jieba (white space and punctuation are tokens there; `jieba_all` has no empty ones).",
    syntax_example = "tokenize(text [, tokenizer] [, settings])",
    sql_example = r"```sql
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
```",
    argument(name = "text", description = "Text to cut. NULL gives NULL."),
    argument(
        name = "tokenizer",
        description = "A constant: `word` (the default: words by UAX #29, case kept), `whitespace` (what stands between white space), `char` (grapheme clusters) `sklearn` (lower case, runs of two or more word characters), `jieba` (Chinese words; the first use loads the dictionary), `jieba_search` (the words inside long words too), `jieba_all` (every word there is), `regex:…` (every match of a regular expression that is not empty, in the syntax of the crate regex), or a model that is a tokenizer."
    ),
    argument(
        name = "settings",
        description = "A constant struct, for jieba's tokenizers: `{hmm: false}` joins no characters that the dictionary does not know as a word."
    ),
    related_udf(name = "token_count")
)]
#[derive(Debug)]
pub(crate) struct Tokenize;

impl ScalarFunction for Tokenize {
    const PARAMETERS: Parameters = Parameters::text_and_tokenizer("tokenize");
    const VOLATILITY: Volatility = Volatility::Stable;

    fn return_type(_: &[FieldRef], _: Option<&dyn Model>) -> Result<DataType> {
        Ok(types::tokens())
    }

    fn check_together(args: &ReturnFieldArgs<'_>) -> Result<()> {
        Self::PARAMETERS.check_tokenizer_settings(args)
    }

    fn documentation() -> Option<&'static Documentation> {
        Self.doc()
    }

    fn invoke(args: &Args<'_>) -> Result<ColumnarValue> {
        args.map_to_tokens(0, &*args.tokenizer(1)?)
    }
}
