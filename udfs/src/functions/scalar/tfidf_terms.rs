//! `tfidf_terms(model, text [, k])`.

use std::num::NonZeroUsize;

use arrow::datatypes::{DataType, FieldRef};
use datafusion_common::Result;
use datafusion_expr::{ColumnarValue, Documentation, Volatility};
use datafusion_macros::user_doc;

use crate::functions::{Args, Kind, Parameter, Parameters, ScalarFunction};
use lexstream_columns::model::{Ability, Model};
use lexstream_columns::{term_weight_column, types};

#[user_doc(
    doc_section(label = "Vectors"),
    description = "Returns the terms of a text that a model knows with their TF-IDF weights, as List<Struct<term Utf8, weight Float64>>, heaviest first and equal ones by term: the entries of tfidf with their names.",
    syntax_example = "tfidf_terms(model, text [, k])",
    sql_example = r"```sql
> select tfidf_terms('news', 'the cat', 1);
[{term: cat, weight: 0.7898069290660905}]
```",
    argument(
        name = "model",
        description = "A constant: a model of kind `tfidf`, or one version of it, such as `news@2`."
    ),
    argument(
        name = "text",
        description = "Text, or a list of tokens where the model was made of them. NULL gives NULL."
    ),
    argument(
        name = "k",
        description = "A constant of at least 1: how many terms at most; all by default."
    ),
    related_udf(name = "tfidf")
)]
#[derive(Debug)]
pub(crate) struct TfidfTerms;

impl ScalarFunction for TfidfTerms {
    const PARAMETERS: Parameters = Parameters {
        function: "tfidf_terms",
        list: &[
            Parameter {
                name: "model",
                kind: Kind::Model(Ability::Weigh),
            },
            Parameter {
                name: "text",
                kind: Kind::TextOrTokens,
            },
            Parameter {
                name: "k",
                kind: Kind::Count,
            },
        ],
        required: 2,
    };
    const VOLATILITY: Volatility = Volatility::Stable;

    fn return_type(fields: &[FieldRef], model: Option<&dyn Model>) -> Result<DataType> {
        Self::PARAMETERS.check_weighed(fields, [1], model)?;
        Ok(types::term_weights())
    }

    fn documentation() -> Option<&'static Documentation> {
        Self.doc()
    }

    fn invoke(args: &Args<'_>) -> Result<ColumnarValue> {
        let vectorizer = args.vectorizer(0)?;
        let most = args.count(2)?.map_or(usize::MAX, NonZeroUsize::get);
        args.map_documents(1, |documents| {
            term_weight_column(documents, &vectorizer, most)
        })
    }
}
