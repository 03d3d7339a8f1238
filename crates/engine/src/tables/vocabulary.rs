//! `vocabulary('model')`: the terms of a model as rows.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringViewArray};
use datafusion::catalog::{TableFunctionArgs, TableFunctionImpl, TableProvider};
use datafusion::common::{DataFusionError, Result, plan_err};
use datafusion::datasource::MemTable;
use datafusion::logical_expr::Expr;
use lexstream_columns::model::{Ability, Models, Unable};
use lexstream_text::tfidf::Vectorizer;

use crate::documentation::{Function, FunctionKind};
use lexstream_models::ModelCatalog;

/// Terms that a batch of rows has.
const ROWS: u32 = 8192;

pub(super) fn documentation() -> Function {
    Function {
        name: "vocabulary".to_owned(),
        kind: FunctionKind::Table,
        section: "Vectors".to_owned(),
        syntax: "vocabulary(model)".to_owned(),
        description: "Returns the terms of a model of kind `tfidf`, by term: `term` Utf8View, `index` Int64 (its place in the vectors of tfidf and count_vector, from 0), `document_frequency` Int64 (how many texts of the corpus have it), `idf` Float64 (the factor of the model's formula)."
            .to_owned(),
        example: "> select term, document_frequency from vocabulary('news') order by idf limit 10;".to_owned(),
        arguments: vec![(
            "model".to_owned(),
            "A constant: a model of kind `tfidf`, or one version of it, such as `news@2`.".to_owned(),
        )],
    }
}

/// The table function.
#[derive(Debug)]
pub(super) struct VocabularyFunction(pub Arc<ModelCatalog>);

impl TableFunctionImpl for VocabularyFunction {
    fn call_with_args(&self, args: TableFunctionArgs<'_, '_>) -> Result<Arc<dyn TableProvider>> {
        let [Expr::Literal(name, _)] = args.exprs() else {
            return plan_err!("vocabulary(model): expected one constant, the name of a model");
        };
        let Some(Some(name)) = name.try_as_str() else {
            return plan_err!("vocabulary: `model` must be a constant text, found {name}");
        };
        let failed = |cause| DataFusionError::External(cause).context("vocabulary");
        let model = self.0.open(name).map_err(failed)?;
        if model.weighs().is_none() {
            let unable = Unable::new(model.id(), model.kind(), Ability::Weigh);
            return Err(failed(unable.into()));
        }
        let vectorizer = model.vectorizer().map_err(failed)?;
        let terms = vectorizer.vocabulary().len() as u32;
        let starts = (0..terms.max(1)).step_by(ROWS as usize);
        let batches: Vec<_> = starts
            .map(|start| rows(&vectorizer, start..terms.min(start + ROWS)))
            .collect::<Result<_>>()?;
        let schema = batches[0].schema();
        Ok(Arc::new(MemTable::try_new(schema, vec![batches])?))
    }
}

fn rows(vectorizer: &Vectorizer, numbers: std::ops::Range<u32>) -> Result<RecordBatch> {
    let vocabulary = vectorizer.vocabulary();
    let terms = numbers.clone().map(|number| Some(vocabulary.term(number)));
    let indices = numbers.clone().map(|number| Some(i64::from(number)));
    let frequencies = numbers
        .clone()
        .map(|number| Some(vocabulary.documents_with(number) as i64));
    let factors = numbers.clone().map(|number| Some(vectorizer.idf(number)));
    Ok(RecordBatch::try_from_iter_with_nullable([
        (
            "term",
            Arc::new(terms.collect::<StringViewArray>()) as ArrayRef,
            false,
        ),
        ("index", Arc::new(indices.collect::<Int64Array>()), false),
        (
            "document_frequency",
            Arc::new(frequencies.collect::<Int64Array>()),
            false,
        ),
        ("idf", Arc::new(factors.collect::<Float64Array>()), false),
    ])?)
}
