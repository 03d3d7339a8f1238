//! What the footer of a unit's file says of it.

use std::fs::File;
use std::path::Path;

use datafusion::common::exec_datafusion_err;
use datafusion::parquet::file::metadata::{KeyValue, ParquetMetaDataReader};

use super::BatchError;
use super::job::Job;
use super::tally::Tally;
use super::unit::{Rows, Unit};

/// The key of what became of the unit's rows.
const ROWS: &str = "lexstream.rows";

/// Returns what a unit's file says of itself in the output of this place.
///
/// Keys that begin with `lexstream.` are ours; what the input's own footer had is passed on.
pub(super) fn about(
    job: &Job,
    unit: &Unit,
    output: usize,
    tally: Tally,
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
    let place = unit.place(&job.source, None);
    add("input", place.file.display().to_string());
    if let Rows::OfGroup {
        row_group, rows, ..
    } = &unit.rows
    {
        add("row_group", row_group.to_string());
        add("range", format!("{}..{}", rows.start, rows.end));
    }
    if let Rows::Unreadable(why) = &unit.rows {
        add("error", why.clone());
    }
    add(
        "query",
        query.map(|query| query.sha256.clone()).unwrap_or_default(),
    );
    add("models", serde_json::Value::Object(models).to_string());
    add("rows", serde_json::json!(tally).to_string());
    add("version", env!("CARGO_PKG_VERSION").to_owned());
    about
}

/// Reads what became of the rows of a unit that is finished.
pub(super) fn tally(path: &Path) -> Result<Tally, BatchError> {
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
