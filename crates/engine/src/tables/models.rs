//! `models()`: the models of this home as rows.

use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, Int64Array, RecordBatch, StringViewArray, StringViewBuilder,
    TimestampMillisecondArray,
};
use datafusion::catalog::{TableFunctionArgs, TableFunctionImpl, TableProvider};
use datafusion::common::{DataFusionError, Result, plan_err};
use datafusion::datasource::MemTable;

use crate::documentation::{Function, FunctionKind};
use lexstream_models::ModelCatalog;
use lexstream_models::store::{Listed, Stored};

pub(super) fn documentation() -> Function {
    Function {
        name: "models".to_owned(),
        kind: FunctionKind::Table,
        section: "Models".to_owned(),
        syntax: "models()".to_owned(),
        description: "Returns every version of every model, by name and version: `model` Utf8View, `version` Int64, `kind` Utf8View, `task` Utf8View (NULL where its kind has one task), `comment` Utf8View, `created` Timestamp(ms, UTC), `bytes` Int64 (size of its files), `digest` Utf8View (SHA-256 of its files' SHA-256), `path` Utf8View (its folder), `problem` Utf8View: NULL, or why its manifest can't be read, where everything else but name and version is NULL. No file of a model is opened."
            .to_owned(),
        example: "> select model, version, kind, bytes from models() where comment is null;".to_owned(),
        arguments: Vec::new(),
    }
}

/// The table function.
#[derive(Debug)]
pub(super) struct ModelsFunction(pub Arc<ModelCatalog>);

impl TableFunctionImpl for ModelsFunction {
    fn call_with_args(&self, args: TableFunctionArgs<'_, '_>) -> Result<Arc<dyn TableProvider>> {
        if !args.exprs().is_empty() {
            return plan_err!(
                "models(): expected no argument, found {}",
                args.exprs().len()
            );
        }
        let list = self
            .0
            .list()
            .map_err(|error| DataFusionError::External(Box::new(error)))?;
        let batch = rows(&list)?;
        Ok(Arc::new(MemTable::try_new(
            batch.schema(),
            vec![vec![batch]],
        )?))
    }
}

fn rows(list: &[Listed]) -> Result<RecordBatch> {
    let texts = |value: &dyn Fn(&Stored) -> Option<String>| -> ArrayRef {
        let mut column = StringViewBuilder::new();
        for listed in list {
            column.append_option(listed.stored.as_ref().ok().and_then(value));
        }
        Arc::new(column.finish())
    };
    let stored = |value: fn(&Stored) -> Option<i64>| {
        list.iter()
            .map(move |listed| listed.stored.as_ref().ok().and_then(value))
    };
    let names: StringViewArray = list
        .iter()
        .map(|listed| Some(listed.name.as_str()))
        .collect();
    let versions: Int64Array = list
        .iter()
        .map(|listed| Some(i64::from(listed.version)))
        .collect();
    let bytes: Int64Array = stored(|stored| i64::try_from(stored.manifest.bytes()).ok()).collect();
    let created: TimestampMillisecondArray = stored(|stored| {
        let created = chrono::DateTime::parse_from_rfc3339(&stored.manifest.created);
        created.ok().map(|created| created.timestamp_millis())
    })
    .collect();
    let problems: StringViewArray = list
        .iter()
        .map(|listed| listed.stored.as_ref().err().map(ToString::to_string))
        .collect();
    Ok(RecordBatch::try_from_iter_with_nullable([
        ("model", Arc::new(names) as ArrayRef, false),
        ("version", Arc::new(versions), false),
        (
            "kind",
            texts(&|stored| Some(stored.manifest.kind.clone())),
            true,
        ),
        ("task", texts(&|stored| stored.manifest.task.clone()), true),
        (
            "comment",
            texts(&|stored| stored.manifest.comment.clone()),
            true,
        ),
        ("created", Arc::new(created.with_timezone("UTC")), true),
        ("bytes", Arc::new(bytes), true),
        (
            "digest",
            texts(&|stored| Some(stored.manifest.digest())),
            true,
        ),
        (
            "path",
            texts(&|stored| Some(stored.folder.display().to_string())),
            true,
        ),
        ("problem", Arc::new(problems), true),
    ])?)
}
