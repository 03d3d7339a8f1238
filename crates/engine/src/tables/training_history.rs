//! `training_history('model')`: what a kind recorded while a model was trained.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringViewArray};
use datafusion::catalog::{TableFunctionArgs, TableFunctionImpl, TableProvider};
use datafusion::common::{DataFusionError, Result, plan_err};
use datafusion::datasource::MemTable;
use datafusion::logical_expr::Expr;

use crate::documentation::{Function, FunctionKind};
use lexstream_models::ModelCatalog;
use lexstream_models::training::History;

pub(super) fn documentation() -> Function {
    Function {
        name: "training_history".to_owned(),
        kind: FunctionKind::Table,
        section: "Models".to_owned(),
        syntax: "training_history(model)".to_owned(),
        description: "Returns what was recorded while a model was made from rows, in that order: `epoch` Int64 (the pass over the rows, from 1), `metric` Utf8View, `value` Float64. Kind `tfidf` records one pass: `documents`, `mean_length` (terms of a text), `terms` (of the vocabulary). A model that is altered keeps it; a kind that records nothing is an error."
            .to_owned(),
        example: "> select epoch, value from training_history('news') where metric = 'terms';".to_owned(),
        arguments: vec![(
            "model".to_owned(),
            "A constant: a model that was made from rows, or one version of it, such as `news@2`.".to_owned(),
        )],
    }
}

/// The table function.
#[derive(Debug)]
pub(super) struct TrainingHistoryFunction(pub Arc<ModelCatalog>);

impl TableFunctionImpl for TrainingHistoryFunction {
    fn call_with_args(&self, args: TableFunctionArgs<'_, '_>) -> Result<Arc<dyn TableProvider>> {
        let [Expr::Literal(name, _)] = args.exprs() else {
            return plan_err!(
                "training_history(model): expected one constant, the name of a model"
            );
        };
        let Some(Some(name)) = name.try_as_str() else {
            return plan_err!("training_history: `model` must be a constant text, found {name}");
        };
        let failed = |cause| DataFusionError::External(cause).context("training_history");
        let stored = self
            .0
            .stored(name)
            .map_err(|error| failed(Box::new(error)))?;
        let batch = rows(&History::read(&stored).map_err(failed)?)?;
        let table = MemTable::try_new(batch.schema(), vec![vec![batch]])?;
        Ok(Arc::new(table))
    }
}

fn rows(history: &History) -> Result<RecordBatch> {
    let rows = history.rows().iter();
    let epochs = rows.clone().map(|row| i64::from(row.epoch));
    let metrics = rows.clone().map(|row| Some(row.metric.as_str()));
    let values = rows.map(|row| row.value);
    Ok(RecordBatch::try_from_iter_with_nullable([
        (
            "epoch",
            Arc::new(epochs.collect::<Int64Array>()) as ArrayRef,
            false,
        ),
        (
            "metric",
            Arc::new(metrics.collect::<StringViewArray>()),
            false,
        ),
        ("value", Arc::new(values.collect::<Float64Array>()), false),
    ])?)
}
