//! The SQL function `pos_tag`.

use arrow::datatypes::{DataType, FieldRef};
use datafusion_common::Result;
use datafusion_expr::{ColumnarValue, Volatility};

use crate::functions::{Args, Declaration, Kind, Parameter, ScalarFunction};
use lexstream_columns::model::{Ability, Model};
use lexstream_columns::{tagged_token_column, types};

#[derive(Debug)]
pub(crate) struct PosTag;

impl ScalarFunction for PosTag {
    const DECLARATION: Declaration = Declaration {
        name: "pos_tag",
        family: "Words",
        description: "Returns the words of a Chinese text with their parts of speech, in order, as List<Struct<token Utf8, tag Utf8>>, as jieba.posseg 0.42.1 gives them; the tokens concatenate to the text. Tags are jieba's: `n` a noun, `nr` a person, `ns` a place, `v` a verb, `a` an adjective, `d` an adverb, `r` a pronoun, `m` a number, `eng` letters, `x` punctuation, white space and what is unknown, and so on. posseg cuts anew: the most probable words of the dictionary, which gives them their tags, and between them one hidden Markov model of words and tags together, so that tokens may differ from those of tokenize(text, 'jieba'). The first call loads the dictionary and the model, once a process. A batch may have 2 GiB of tokens; past that an error says which batch size fits.",
        parameters: &[
            Parameter::new(
                "text",
                Kind::Text,
                "Chinese text. NULL gives NULL; empty text has no tokens.",
            ),
            Parameter::optional(
                "dictionary",
                Kind::Model(Ability::Tag),
                "A constant: a model of kind `jieba`, or one version of it, such as `words@2`; jieba's own dictionary where it is left out. The words have the tags that the dictionary gives them, `x` where it gives none and jieba's has none either; with `'hmm' = 'false'` every character that is in no word is a token, but for letters and digits, which are one, `eng`. The model's `mode` does not matter.",
            ),
        ],
        example: r"
> select pos_tag('我爱北京天安门');
[{token: 我, tag: r}, {token: 爱, tag: v}, {token: 北京, tag: ns}, {token: 天安门, tag: ns}]
",
        related: &["tokenize"],
    };
    const VOLATILITY: Volatility = Volatility::Stable;

    fn return_type(_: &[FieldRef], _: Option<&dyn Model>) -> Result<DataType> {
        Ok(types::tagged_tokens())
    }

    fn invoke(args: &Args<'_>) -> Result<ColumnarValue> {
        let tagger = args.pos_tagger(1)?;
        args.map_texts(0, |texts| Ok(tagged_token_column(texts, &tagger)?))
    }
}
