//! `key_sentences(text, n)`.

use arrow::datatypes::{DataType, FieldRef};
use datafusion_common::{Result, internal_err};
use datafusion_expr::{ColumnarValue, Documentation};
use datafusion_macros::user_doc;

use crate::functions::{Args, Kind, Parameter, Parameters, ScalarFunction};
use lexstream_columns::model::Model;
use lexstream_columns::types;
use lexstream_text::key_sentences::KeySentences;

#[user_doc(
    doc_section(label = "Pieces"),
    description = "Returns the sentences of a text that are most like its others, in the text's order, as List<Utf8>: a summary of what is there, in any language; of equal ones the first, and no sentence twice. Sentences are those of the function sentences; one without words is left out. Scores are those of continuous LexRank (Erkan and Radev 2004, LexRank: Graph-based Lexical Centrality as Salience in Text Summarization): p(u) = 0.15 / N + 0.85 * the sum over all N sentences v of cosine(u, v) / (the sum over all z of cosine(z, v)) * p(v). The cosine is of the words' counts times their inverse document frequencies, ln(N / sentences with the word). Words are those of UAX #29, in lower case; of ideographs and hiragana each two neighbours are a word. The sums are taken word by word, not pair by pair of sentences: time and memory grow with the words of the text, however many sentences it has.",
    syntax_example = "key_sentences(text, n)",
    sql_example = r"```sql
> select key_sentences('Trains were late. Snow fell. The snow made trains late. Bread is baked early.', 1);
[The snow made trains late.]
```",
    argument(name = "text", description = "Text to sum up. NULL gives NULL."),
    argument(
        name = "n",
        description = "A constant of at least 1: how many sentences at most."
    ),
    related_udf(name = "keywords"),
    related_udf(name = "sentences")
)]
#[derive(Debug)]
pub(crate) struct KeySentencesOfText;

impl ScalarFunction for KeySentencesOfText {
    const PARAMETERS: Parameters = Parameters {
        function: "key_sentences",
        list: &[
            Parameter {
                name: "text",
                kind: Kind::Text,
            },
            Parameter {
                name: "n",
                kind: Kind::Count,
            },
        ],
        required: 2,
    };

    fn return_type(_: &[FieldRef], _: Option<&dyn Model>) -> Result<DataType> {
        Ok(types::tokens())
    }

    fn documentation() -> Option<&'static Documentation> {
        Self.doc()
    }

    fn invoke(args: &Args<'_>) -> Result<ColumnarValue> {
        let Some(most) = args.count(1)? else {
            return internal_err!("key_sentences: planning has checked `n`");
        };
        args.map_to_tokens(0, &KeySentences(most))
    }
}
