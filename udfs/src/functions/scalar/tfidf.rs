//! The SQL function `tfidf`.

use arrow::datatypes::{DataType, FieldRef};
use datafusion_common::Result;
use datafusion_expr::{ColumnarValue, Volatility};

use crate::functions::{Args, Declaration, Kind, Parameter, ScalarFunction};
use lexstream_columns::model::Model;
use lexstream_columns::{types, weight_vector_column};

#[derive(Debug)]
pub(crate) struct Tfidf;

impl ScalarFunction for Tfidf {
    const DECLARATION: Declaration = Declaration {
        name: "tfidf",
        family: "Vectors",
        description: "Returns the TF-IDF vector of a text over the terms of a model, as Struct<indices List<Int32>, values List<Float32>>; vocabulary('model') says which term an index is. Terms and weights are made as the options of the model say, by default as scikit-learn's TfidfVectorizer makes them. Terms that the model does not know are left out; a text without known terms has no entries.",
        parameters: &[
            Parameter::TFIDF_MODEL,
            Parameter::new(
                "text",
                Kind::TextOrTokens,
                "Text, or a list of tokens where the model was made of them. NULL gives NULL.",
            ),
        ],
        example: r"
> select tfidf('news', 'the cat');
{indices: [1, 4], values: [0.7898069, 0.6133555]}
",
        related: &["count_vector", "tfidf_terms", "vocabulary"],
    };
    const VOLATILITY: Volatility = Volatility::Stable;

    fn return_type(fields: &[FieldRef], model: Option<&dyn Model>) -> Result<DataType> {
        Self::DECLARATION.check_weighed(fields, [1], model)?;
        Ok(types::sparse_vectors())
    }

    fn invoke(args: &Args<'_>) -> Result<ColumnarValue> {
        let vectorizer = args.vectorizer(0)?;
        args.map_documents(1, |documents| weight_vector_column(documents, &vectorizer))
    }
}
