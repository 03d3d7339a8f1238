//! The SQL function `key_sentences`.

use arrow::datatypes::{DataType, FieldRef};
use datafusion_common::{Result, internal_err};
use datafusion_expr::ColumnarValue;

use crate::functions::{Args, Declaration, Kind, Parameter, ScalarFunction};
use lexstream_columns::model::Model;
use lexstream_columns::types;
use lexstream_text::key_sentences::KeySentences;

#[derive(Debug)]
pub(crate) struct KeySentencesOfText;

impl ScalarFunction for KeySentencesOfText {
    const DECLARATION: Declaration = Declaration {
        name: "key_sentences",
        family: "Pieces",
        description: "Returns the sentences of a text that are most like its others, in the text's order, as List<Utf8>: a summary of what is there, in any language; of equal ones the first, and no sentence twice. Sentences are those of the function sentences; one without words is left out. Scores are those of continuous LexRank (Erkan and Radev 2004, LexRank: Graph-based Lexical Centrality as Salience in Text Summarization): p(u) = 0.15 / N + 0.85 * the sum over all N sentences v of cosine(u, v) / (the sum over all z of cosine(z, v)) * p(v). The cosine is of the words' counts times their inverse document frequencies, ln(N / sentences with the word). Words are those of UAX #29, in lower case; of ideographs and hiragana each two neighbours are a word. The sums are taken word by word, not pair by pair of sentences: time and memory grow with the words of the text, however many sentences it has.",
        parameters: &[
            Parameter::new("text", Kind::Text, "Text to sum up. NULL gives NULL."),
            Parameter::new(
                "n",
                Kind::Count,
                "A constant of at least 1: how many sentences at most.",
            ),
        ],
        example: r"
> select key_sentences('Trains were late. Snow fell. The snow made trains late. Bread is baked early.', 1);
[The snow made trains late.]
",
        related: &["keywords", "sentences"],
    };

    fn return_type(_: &[FieldRef], _: Option<&dyn Model>) -> Result<DataType> {
        Ok(types::tokens())
    }

    fn invoke(args: &Args<'_>) -> Result<ColumnarValue> {
        let Some(most) = args.count(1)? else {
            return internal_err!("key_sentences: planning has checked `n`");
        };
        args.map_to_tokens(0, &KeySentences(most))
    }
}
