//! `count_vector(model, text)`.

use arrow::datatypes::{DataType, FieldRef};
use datafusion_common::Result;
use datafusion_expr::{ColumnarValue, Documentation, Volatility};
use datafusion_macros::user_doc;

use crate::functions::{Args, Kind, Parameter, Parameters, ScalarFunction};
use lexstream_columns::model::{Ability, Model};
use lexstream_columns::{count_vector_column, types};

#[user_doc(
    doc_section(label = "Vectors"),
    description = "Returns how often each term of a model occurs in a text, as Struct<indices List<Int32>, values List<Float32>>, as scikit-learn's CountVectorizer counts; vocabulary('model') says which term an index is. Terms that the model does not know are left out; with `'binary' = 'true'` each count is 1.",
    syntax_example = "count_vector(model, text)",
    sql_example = r"```sql
> select count_vector('news', 'the cat');
{indices: [1, 4], values: [1.0, 1.0]}
```",
    argument(
        name = "model",
        description = "A constant: a model of kind `tfidf`, or one version of it, such as `news@2`."
    ),
    argument(
        name = "text",
        description = "Text, or a list of tokens where the model was made of them. NULL gives NULL."
    ),
    related_udf(name = "bag_of_words"),
    related_udf(name = "tfidf")
)]
#[derive(Debug)]
pub(crate) struct CountVector;

impl ScalarFunction for CountVector {
    const PARAMETERS: Parameters = Parameters {
        function: "count_vector",
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
        args.map_documents(1, |documents| count_vector_column(documents, &vectorizer))
    }
}
