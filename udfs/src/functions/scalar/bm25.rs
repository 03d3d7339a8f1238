//! The SQL function `bm25`.

use arrow::datatypes::{DataType, FieldRef};
use datafusion_common::Result;
use datafusion_expr::{ColumnarValue, Volatility};

use crate::functions::{Args, Declaration, Kind, Parameter, ScalarFunction};
use lexstream_columns::bm25_column;
use lexstream_columns::model::Model;

#[derive(Debug)]
pub(crate) struct Bm25;

impl ScalarFunction for Bm25 {
    const DECLARATION: Declaration = Declaration {
        name: "bm25",
        family: "Vectors",
        description: "Returns how well a text answers a query by Okapi BM25 (Robertson, Zaragoza 2009), as Float64 of at least 0: the sum over the query's terms that the model knows of idf · tf (k1 + 1) / (tf + k1 (1 − b + b · length / mean)), where idf = ln(1 + (N − df + 0.5) / (df + 0.5)), tf is how often the term occurs in the text, length how many terms the text has, mean how many a text of the model's corpus has, N how many texts that has and df how many of them have the term. A term that the query says twice counts twice. k1 and b are options of the model, 1.2 and 0.75.",
        parameters: &[
            Parameter::TFIDF_MODEL,
            Parameter::new(
                "query",
                Kind::TextOrTokens,
                "Text, or a list of tokens where the model was made of them. NULL gives NULL.",
            ),
            Parameter::new("text", Kind::TextOrTokens, "The same."),
        ],
        example: r"
> select round(bm25('news', 'cat', 'the cat'), 4);
0.5774
",
        related: &["tfidf"],
    };
    const VOLATILITY: Volatility = Volatility::Stable;

    fn return_type(fields: &[FieldRef], model: Option<&dyn Model>) -> Result<DataType> {
        Self::DECLARATION.check_weighed(fields, [1, 2], model)?;
        Ok(DataType::Float64)
    }

    fn invoke(args: &Args<'_>) -> Result<ColumnarValue> {
        let vectorizer = args.vectorizer(0)?;
        args.map_document_pairs(1, 2, |queries, texts| {
            bm25_column(queries, texts, &vectorizer)
        })
    }
}
