//! `bm25(model, query, text)`.

use arrow::datatypes::{DataType, FieldRef};
use datafusion_common::Result;
use datafusion_expr::{ColumnarValue, Documentation, Volatility};
use datafusion_macros::user_doc;

use crate::functions::{Args, Kind, Parameter, Parameters, ScalarFunction};
use lexstream_columns::bm25_column;
use lexstream_columns::model::{Ability, Model};

#[user_doc(
    doc_section(label = "Vectors"),
    description = "Returns how well a text answers a query by Okapi BM25 (Robertson, Zaragoza 2009), as Float64 of at least 0: the sum over the query's terms that the model knows of idf · tf (k1 + 1) / (tf + k1 (1 − b + b · length / mean)), where idf = ln(1 + (N − df + 0.5) / (df + 0.5)), tf is how often the term occurs in the text, length how many terms the text has, mean how many a text of the model's corpus has, N how many texts that has and df how many of them have the term. A term that the query says twice counts twice. k1 and b are options of the model, 1.2 and 0.75.",
    syntax_example = "bm25(model, query, text)",
    sql_example = r"```sql
> select round(bm25('news', 'cat', 'the cat'), 4);
0.5774
```",
    argument(
        name = "model",
        description = "A constant: a model of kind `tfidf`, or one version of it, such as `news@2`."
    ),
    argument(
        name = "query",
        description = "Text, or a list of tokens where the model was made of them. NULL gives NULL."
    ),
    argument(name = "text", description = "The same."),
    related_udf(name = "tfidf")
)]
#[derive(Debug)]
pub(crate) struct Bm25;

impl ScalarFunction for Bm25 {
    const PARAMETERS: Parameters = Parameters {
        function: "bm25",
        list: &[
            Parameter {
                name: "model",
                kind: Kind::Model(Ability::Weigh),
            },
            Parameter {
                name: "query",
                kind: Kind::TextOrTokens,
            },
            Parameter {
                name: "text",
                kind: Kind::TextOrTokens,
            },
        ],
        required: 3,
    };
    const VOLATILITY: Volatility = Volatility::Stable;

    fn return_type(fields: &[FieldRef], model: Option<&dyn Model>) -> Result<DataType> {
        Self::PARAMETERS.check_weighed(fields, [1, 2], model)?;
        Ok(DataType::Float64)
    }

    fn documentation() -> Option<&'static Documentation> {
        Self.doc()
    }

    fn invoke(args: &Args<'_>) -> Result<ColumnarValue> {
        let vectorizer = args.vectorizer(0)?;
        args.map_document_pairs(1, 2, |queries, texts| {
            bm25_column(queries, texts, &vectorizer)
        })
    }
}
