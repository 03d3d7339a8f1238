//! `tfidf(model, text)`.

use arrow::datatypes::{DataType, FieldRef};
use datafusion_common::Result;
use datafusion_expr::{ColumnarValue, Documentation, Volatility};
use datafusion_macros::user_doc;

use crate::functions::{Args, Kind, Parameter, Parameters, ScalarFunction};
use lexstream_columns::model::{Ability, Model};
use lexstream_columns::{types, weight_vector_column};

#[user_doc(
    doc_section(label = "Vectors"),
    description = "Returns the TF-IDF vector of a text over the terms of a model, as Struct<indices List<Int32>, values List<Float32>>; vocabulary('model') says which term an index is. Terms and weights are made as the options of the model say, by default as scikit-learn's TfidfVectorizer makes them. Terms that the model does not know are left out; a text without known terms has no entries.",
    syntax_example = "tfidf(model, text)",
    sql_example = r"```sql
> select tfidf('news', 'the cat');
{indices: [1, 4], values: [0.7898069, 0.6133555]}
```",
    argument(
        name = "model",
        description = "A constant: a model of kind `tfidf`, or one version of it, such as `news@2`."
    ),
    argument(
        name = "text",
        description = "Text, or a list of tokens where the model was made of them. NULL gives NULL."
    ),
    related_udf(name = "count_vector"),
    related_udf(name = "tfidf_terms"),
    related_udf(name = "vocabulary")
)]
#[derive(Debug)]
pub(crate) struct Tfidf;

impl ScalarFunction for Tfidf {
    const PARAMETERS: Parameters = Parameters {
        function: "tfidf",
        list: &[
            Parameter {
                name: "model",
                kind: Kind::Model(Ability::Weigh),
            },
            Parameter {
                name: "text",
                kind: Kind::TextOrTokens,
            },
        ],
        required: 2,
    };
    const VOLATILITY: Volatility = Volatility::Stable;

    fn return_type(fields: &[FieldRef], model: Option<&dyn Model>) -> Result<DataType> {
        Self::PARAMETERS.check_weighed(fields, [1], model)?;
        Ok(types::sparse_vectors())
    }

    fn documentation() -> Option<&'static Documentation> {
        Self.doc()
    }

    fn invoke(args: &Args<'_>) -> Result<ColumnarValue> {
        let vectorizer = args.vectorizer(0)?;
        args.map_documents(1, |documents| weight_vector_column(documents, &vectorizer))
    }
}
