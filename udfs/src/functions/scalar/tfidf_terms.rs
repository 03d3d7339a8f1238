//! The SQL function `tfidf_terms`.

use std::num::NonZeroUsize;

use arrow::datatypes::{DataType, FieldRef};
use datafusion_common::Result;
use datafusion_expr::{ColumnarValue, Volatility};

use crate::functions::{Args, Declaration, Kind, Parameter, ScalarFunction};
use lexstream_columns::model::Model;
use lexstream_columns::{term_weight_column, types};

#[derive(Debug)]
pub(crate) struct TfidfTerms;

impl ScalarFunction for TfidfTerms {
    const DECLARATION: Declaration = Declaration {
        name: "tfidf_terms",
        family: "Vectors",
        description: "Returns the terms of a text that a model knows with their TF-IDF weights, as List<Struct<term Utf8, weight Float64>>, heaviest first and equal ones by term: the entries of tfidf with their names.",
        parameters: &[
            Parameter::TFIDF_MODEL,
            Parameter::new(
                "text",
                Kind::TextOrTokens,
                "Text, or a list of tokens where the model was made of them. NULL gives NULL.",
            ),
            Parameter::optional(
                "k",
                Kind::Count,
                "A constant of at least 1: how many terms at most; all by default.",
            ),
        ],
        example: r"
> select tfidf_terms('news', 'the cat', 1);
[{term: cat, weight: 0.7898069290660905}]
",
        related: &["tfidf"],
    };
    const VOLATILITY: Volatility = Volatility::Stable;

    fn return_type(fields: &[FieldRef], model: Option<&dyn Model>) -> Result<DataType> {
        Self::DECLARATION.check_weighed(fields, [1], model)?;
        Ok(types::term_weights())
    }

    fn invoke(args: &Args<'_>) -> Result<ColumnarValue> {
        let vectorizer = args.vectorizer(0)?;
        let most = args.count(2)?.map_or(usize::MAX, NonZeroUsize::get);
        args.map_documents(1, |documents| {
            term_weight_column(documents, &vectorizer, most)
        })
    }
}
