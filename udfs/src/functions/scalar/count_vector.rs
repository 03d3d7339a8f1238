//! The SQL function `count_vector`.

use arrow::datatypes::{DataType, FieldRef};
use datafusion_common::Result;
use datafusion_expr::{ColumnarValue, Volatility};

use crate::functions::{Args, Declaration, Kind, Parameter, ScalarFunction};
use lexstream_columns::model::Model;
use lexstream_columns::{count_vector_column, types};

#[derive(Debug)]
pub(crate) struct CountVector;

impl ScalarFunction for CountVector {
    const DECLARATION: Declaration = Declaration {
        name: "count_vector",
        family: "Vectors",
        description: "Returns how often each term of a model occurs in a text, as Struct<indices List<Int32>, values List<Float32>>, as scikit-learn's CountVectorizer counts; vocabulary('model') says which term an index is. Terms that the model does not know are left out; with `'binary' = 'true'` each count is 1.",
        parameters: &[
            Parameter::TFIDF_MODEL,
            Parameter::new(
                "text",
                Kind::TextOrTokens,
                "Text, or a list of tokens where the model was made of them. NULL gives NULL.",
            ),
        ],
        example: r"
> select count_vector('news', 'the cat');
{indices: [1, 4], values: [1.0, 1.0]}
",
        related: &["bag_of_words", "tfidf"],
    };
    const VOLATILITY: Volatility = Volatility::Stable;

    fn return_type(fields: &[FieldRef], model: Option<&dyn Model>) -> Result<DataType> {
        Self::DECLARATION.check_weighed(fields, [1], model)?;
        Ok(types::sparse_vectors())
    }

    fn invoke(args: &Args<'_>) -> Result<ColumnarValue> {
        let vectorizer = args.vectorizer(0)?;
        args.map_documents(1, |documents| count_vector_column(documents, &vectorizer))
    }
}
