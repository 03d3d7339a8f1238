//! `keywords(text, n [, settings])`.

use arrow::datatypes::{DataType, FieldRef};
use datafusion_common::{Result, internal_err, plan_err};
use datafusion_expr::{ColumnarValue, Documentation, ReturnFieldArgs};
use datafusion_macros::user_doc;

use crate::columns::{keyword_column, types};
use crate::functions::{
    Args, Kind, Parameter, Parameters, ScalarFunction, Setting, SettingKind, Settings,
};
use crate::model::Model;
use crate::text::keywords::Method;

#[user_doc(
    doc_section(label = "Text Functions"),
    description = "Returns the terms that say what a text is about, as List<Struct<term Utf8, score Float64>>, best first, ties by term in byte order. A text without terms has none. `rake` (Rapid Automatic Keyword Extraction: Rose, Engel, Cramer and Cowley 2010, scored as the Python package rake-nltk 1.0) finds the runs of words between stop words, punctuation and line ends, in lower case; a word scores degree / frequency, its frequency being how often it occurs in such runs, its degree how many words those have in all, and a run the sum over its words. Words are runs of letters, digits, marks and `_`; a run that occurs again counts for its words and is returned once, where rake-nltk repeats it. `tfidf` (Chinese: jieba.analyse.extract_tags of jieba 0.42.1) scores each word of two or more characters with its share of those words times ln(1088899 / df), df from jieba's table of 270,132 words, 7 for others; case is kept, and the first use loads jieba's dictionaries. Memory is for the words of one text.",
    syntax_example = "keywords(text, n [, settings])",
    sql_example = r"```sql
> select keywords('Linear systems and linear diophantine equations are solved by hand.', 2);
[{term: linear diophantine equations, score: 8.5}, {term: linear systems, score: 4.5}]
> select keywords('北京的天气很好，北京的烤鸭也好吃。', 1, {language: 'zh'})[1]['term'];
烤鸭
```",
    argument(name = "text", description = "Text to look through. NULL gives NULL."),
    argument(
        name = "n",
        description = "A constant of at least 1: how many terms at most."
    ),
    argument(
        name = "settings",
        description = "A constant struct: `language`, an ISO 639-1 code that has a list of stop words, by default `zh` where the method is `tfidf`, else `en`; `method`, `rake` or `tfidf`, by default `tfidf` for `zh`, else `rake`. `tfidf` is for `zh` only, `rake` for every other language. The text is not looked at to choose."
    ),
    related_udf(name = "stop_words"),
    related_udf(name = "tfidf_terms")
)]
#[derive(Debug)]
pub(crate) struct Keywords;

/// Returns the method and the language of a call; none where planning has not checked it.
fn choice(settings: &Settings) -> Result<Option<(Method, String)>> {
    let (method, language) = (settings.text("method")?, settings.text("language")?);
    Ok(match (method, language) {
        (None, None) => Some((Method::Rake, Method::Rake.language().to_owned())),
        (None, Some(language)) => Some((Method::of(&language), language)),
        (Some(method), language) => Method::named(&method).map(|method| {
            let language = language.unwrap_or_else(|| method.language().to_owned());
            (method, language)
        }),
    })
}

impl ScalarFunction for Keywords {
    const PARAMETERS: Parameters = Parameters {
        function: "keywords",
        list: &[
            Parameter {
                name: "text",
                kind: Kind::Text,
            },
            Parameter {
                name: "n",
                kind: Kind::Count,
            },
            Parameter {
                name: "settings",
                kind: Kind::Settings(&[
                    Setting {
                        name: "language",
                        kind: SettingKind::Name(Method::LANGUAGES),
                    },
                    Setting {
                        name: "method",
                        kind: SettingKind::Name(Method::NAMES),
                    },
                ]),
            },
        ],
        required: 2,
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
        if method.knows(&language) {
            return Ok(());
        }
        match method {
            Method::Rake => plan_err!(
                "keywords: the method `rake` is for languages that are written with spaces, found `{language}`; `tfidf` is for it"
            ),
            Method::Tfidf => plan_err!(
                "keywords: the method `tfidf` is for the language zh, found `{language}`; `rake` is for it"
            ),
        }
    }

    fn documentation() -> Option<&'static Documentation> {
        Self.doc()
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
