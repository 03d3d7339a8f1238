//! Key-value metadata in the footer of a unit's file: provenance and row counts.

use std::fs::File;
use std::path::Path;

use datafusion::common::exec_datafusion_err;
use datafusion::parquet::file::metadata::{KeyValue, ParquetMetaDataReader};

use crate::error::BatchError;
use crate::input::{Unit, UnitRows};
use crate::job::Job;
use crate::row_counts::RowCounts;

/// The key of what became of the unit's rows.
const ROWS: &str = "lexstream.rows";

/// Returns what a unit's file says of itself in the output of this place.
///
/// Keys that begin with `lexstream.` are ours; what the input's own footer had is passed on.
pub(super) fn key_values(
    job: &Job,
    unit: &Unit,
    output: usize,
    counts: RowCounts,
    of_input: &[KeyValue],
) -> Vec<KeyValue> {
    let manifest = &job.manifest;
    let query = manifest.queries.get(&job.outputs[output].name);
    let models = manifest.models.iter();
    let models: serde_json::Map<_, _> = models
        .map(|(name, pinned)| {
            let id = format!("{name}@{}", pinned.version);
            (id, pinned.digest.clone().into())
        })
        .collect();
    let mut about: Vec<_> = of_input
        .iter()
        .filter(|pair| !pair.key.starts_with("lexstream."))
        .cloned()
        .collect();
    let mut add =
        |key: &str, value: String| about.push(KeyValue::new(format!("lexstream.{key}"), value));
    let place = unit.location(&job.source, None);
    add("input", place.file.display().to_string());
    if let UnitRows::OfGroup {
        row_group, rows, ..
    } = &unit.rows
    {
        add("row_group", row_group.to_string());
        add("range", format!("{}..{}", rows.start, rows.end));
    }
    if let UnitRows::Unreadable(why) = &unit.rows {
        add("error", why.clone());
    }
    add(
        "query",
        query.map(|query| query.sha256.clone()).unwrap_or_default(),
    );
    add("models", serde_json::Value::Object(models).to_string());
    add("rows", serde_json::json!(counts).to_string());
    add("version", env!("CARGO_PKG_VERSION").to_owned());
    about
}

/// Reads what became of the rows of a unit that is finished.
///
/// # Errors
/// The file can't be read, or is none that a job has finished.
pub(super) fn counts(path: &Path) -> Result<RowCounts, BatchError> {
    let failed = |source| BatchError::Unfinished {
        path: path.to_owned(),
        source,
    };
    let file = File::open(path).map_err(BatchError::io("read", path))?;
    let metadata = ParquetMetaDataReader::new().parse_and_finish(&file);
    let metadata = metadata.map_err(|error| failed(error.into()))?;
    let pairs = metadata.file_metadata().key_value_metadata();
    let found = pairs.into_iter().flatten().find(|pair| pair.key == ROWS);
    let rows = found.and_then(|pair| pair.value.as_deref());
    let rows = rows.and_then(|rows| serde_json::from_str(rows).ok());
    rows.ok_or_else(|| failed(exec_datafusion_err!("expected `{ROWS}` in its footer")))
}
