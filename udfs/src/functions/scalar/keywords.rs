//! The SQL function `keywords`.

use arrow::datatypes::{DataType, FieldRef};
use datafusion_common::{Result, internal_err, plan_err};
use datafusion_expr::{ColumnarValue, ReturnFieldArgs};

use crate::functions::{
    Args, Declaration, Kind, Parameter, ScalarFunction, Setting, SettingKind, Settings,
};
use lexstream_columns::model::Model;
use lexstream_columns::{keyword_column, types};
use lexstream_text::keywords::Method;

#[derive(Debug)]
pub(crate) struct Keywords;

/// The language where neither that nor a method is named.
const DEFAULT: &str = "en";

/// Returns the method and the language of a call; none where planning has not checked it.
fn choice(settings: &Settings) -> Result<Option<(Method, String)>> {
    let (method, language) = (settings.text("method")?, settings.text("language")?);
    let method = match method {
        Some(method) => Method::named(&method),
        None => Method::of(language.as_deref().unwrap_or(DEFAULT))
            .first()
            .copied(),
    };
    Ok(method.map(|method| {
        let language = language.unwrap_or_else(|| method.language().to_owned());
        (method, language)
    }))
}

impl ScalarFunction for Keywords {
    const DECLARATION: Declaration = Declaration {
        name: "keywords",
        family: "Pieces",
        description: "Returns the terms that say what a text is about, as List<Struct<term Utf8, score Float64>>, best first, ties by term in byte order. A text without terms has none. `rake` (Rapid Automatic Keyword Extraction: Rose, Engel, Cramer and Cowley 2010, scored as the Python package rake-nltk 1.0) finds the runs of words between stop words, punctuation and line ends, in lower case; a word scores degree / frequency, its frequency being how often it occurs in such runs, its degree how many words those have in all, and a run the sum over its words. Words are runs of letters, digits, marks and `_`; a run that occurs again counts for its words and is returned once, where rake-nltk repeats it. `tfidf` (Chinese: jieba.analyse.extract_tags of jieba 0.42.1) scores each word of two or more characters with its share of those words times ln(1088899 / df), df from jieba's table of 270,132 words, 7 for others; case is kept. `textrank` (Chinese: jieba.analyse.textrank, after Mihalcea and Tarau 2004) takes the nouns, places and verbs of two or more characters among the words that pos_tag gives (tags `n`, `ns`, `v`, `vn`); two of them at most four words apart are an edge, as often as they are, and ten rounds set each score to 0.15 + 0.85 * the sum over its edges of weight / weights at the other end * score there; then (score - least / 10) / (greatest - least / 10), so that the best has 1. The first use of either loads jieba's dictionaries, once a process. `yake` (Campos, Mangaravite, Pasquali, Jorge, Nunes and Jatowt 2020, YAKE! Keyword extraction from single documents using multiple local features, with the scores of the Python package yake 0.7) returns runs of up to three words between marks, as they are first written, lowest score first, ties in the text's order: product of S / (frequency * (1 + sum of S)), where a word's S = T_rel * T_pos / (T_case + T_norm / T_rel + T_sent / T_rel); T_case = max(occurrences in capitals, with a capital inside a sentence) / (1 + ln TF), T_pos = ln(ln(3 + median of its sentences' numbers, from 0)), T_norm = TF / (mean + standard deviation of TF over words that are no stop words), T_sent = the share of sentences with it, T_rel = 1 + (different neighbours / neighbours on the left + the same on the right) * TF / greatest TF. A plural in -s counts as its singular; words of fewer than three characters are stop words; a run neither begins nor ends with one, and one inside counts by how often it stands between the two. Of two runs whose levenshtein_similarity is above 0.9 the better is kept. Sentences and words are cut as the package segtok does. Memory is for the words of one text, and for `textrank` their pairs.",
        parameters: &[
            Parameter::new("text", Kind::Text, "Text to look through. NULL gives NULL."),
            Parameter::new(
                "n",
                Kind::Count,
                "A constant of at least 1: how many terms at most.",
            ),
            Parameter::optional(
                "settings",
                Kind::Settings(&[
                    Setting::new("language", SettingKind::Name(Method::LANGUAGES)),
                    Setting::new("method", SettingKind::Name(Method::NAMES)),
                ]),
                "A constant struct: `language`, an ISO 639-1 code that has a list of stop words, by default that of the method, `en` where none is named; `method`: for `zh` `tfidf`, the default, or `textrank`; for every other language `rake`, the default, or `yake`. The text is not looked at to choose.",
            ),
        ],
        example: r"
> select keywords('Linear systems and linear diophantine equations are solved by hand.', 2);
[{term: linear diophantine equations, score: 8.5}, {term: linear systems, score: 4.5}]
> select keywords('北京的天气很好，北京的烤鸭也好吃。', 1, {language: 'zh'})[1]['term'];
烤鸭
",
        related: &["key_sentences", "pos_tag", "stop_words", "tfidf_terms"],
    };

    fn return_type(_: &[FieldRef], _: Option<&dyn Model>) -> Result<DataType> {
        Ok(types::term_scores())
    }

    fn check_together(args: &ReturnFieldArgs<'_>) -> Result<()> {
        let Some(settings) = args.scalar_arguments.get(2).copied().flatten() else {
            return Ok(());
        };
        let Some((method, language)) = choice(&Settings::of(settings)?)? else {
            return Ok(());
        };
        let there = Method::of(&language);
        if there.contains(&method) {
            return Ok(());
        }
        let there: Vec<_> = there.iter().map(|method| method.name()).collect();
        plan_err!(
            "keywords: the method `{}` is not for the language `{language}`; for it there is {}",
            method.name(),
            there.join(", ")
        )
    }

    fn invoke(args: &Args<'_>) -> Result<ColumnarValue> {
        let choice = choice(&args.settings()?)?;
        let extractor = choice.and_then(|(method, language)| method.extractor(&language));
        let (Some(most), Some(extractor)) = (args.count(1)?, extractor) else {
            return internal_err!("keywords: planning has checked `n`, language and method");
        };
        args.map_texts(0, |texts| {
            Ok(keyword_column(texts, &*extractor, most.get())?)
        })
    }
}
