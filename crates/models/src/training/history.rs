//! What a kind recorded while a model was trained: an Arrow IPC file of the version, with the role `history`.

use std::io::Cursor;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Float64Array, Int64Array, StringArray};
use arrow::datatypes::{DataType, Field, Float64Type, Int64Type, Schema, SchemaRef};
use arrow::ipc::reader::FileReader;
use arrow::ipc::writer::FileWriter;
use arrow::record_batch::RecordBatch;
use lexstream_columns::model::ModelError;

use crate::kinds::Request;
use crate::store::{Draft, FileRecord, Stored};

/// The role of the file, and its name.
const FILE: (&str, &str) = ("history", "history.arrow");

/// Why there is no history.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// The version has none.
    #[error("model `{model}` ({kind}) has no training history")]
    None {
        /// The version.
        model: String,
        /// Its kind.
        kind: String,
    },
    /// The file is not one.
    #[error(
        "model `{model}`: expected a history with columns (epoch Int64, metric Utf8, value Float64), found {found}"
    )]
    Columns {
        /// The version.
        model: String,
        /// What its file has.
        found: String,
    },
}

/// A figure of an epoch.
#[derive(Debug, Clone, PartialEq)]
pub struct HistoryRow {
    /// The pass over the rows, from 1.
    pub epoch: u32,
    /// Its name, such as `loss`.
    pub metric: String,
    /// Its value.
    pub value: f64,
}

/// What a kind recorded while a model was trained, in the order it was recorded.
///
/// Nothing in it depends on time, so that the same rows and the same seed give the same bytes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct History(Vec<HistoryRow>);

impl History {
    /// Records a figure of an epoch, which is from 1.
    pub fn record(&mut self, epoch: u32, metric: &str, value: f64) {
        self.0.push(HistoryRow {
            epoch,
            metric: metric.to_owned(),
            value,
        });
    }

    /// Returns what was recorded.
    pub fn rows(&self) -> &[HistoryRow] {
        &self.0
    }

    /// Writes it into a version in the making.
    ///
    /// # Errors
    ///
    /// Where the disk is full.
    pub fn write(&self, draft: &Draft) -> Result<FileRecord, ModelError> {
        let epochs = self.0.iter().map(|row| i64::from(row.epoch));
        let metrics = self.0.iter().map(|row| Some(row.metric.as_str()));
        let values = self.0.iter().map(|row| row.value);
        let columns: Vec<ArrayRef> = vec![
            Arc::new(epochs.collect::<Int64Array>()),
            Arc::new(metrics.collect::<StringArray>()),
            Arc::new(values.collect::<Float64Array>()),
        ];
        let batch = RecordBatch::try_new(schema(), columns)?;
        let mut writer = FileWriter::try_new(Vec::new(), &batch.schema())?;
        writer.write(&batch)?;
        let (role, name) = FILE;
        Ok(draft.write(role, name, &writer.into_inner()?)?)
    }

    /// Takes the history of a version over into the one that follows it, where it has one.
    ///
    /// # Errors
    ///
    /// Where the file can't be copied.
    pub fn keep(request: &Request<'_>) -> Result<Option<FileRecord>, ModelError> {
        Ok(request.keep(FILE.0)?)
    }

    /// Reads that of a version.
    ///
    /// # Errors
    ///
    /// Where it has none, or its file has changed.
    pub fn read(stored: &Stored) -> Result<Self, ModelError> {
        let none = || HistoryError::None {
            model: stored.id(),
            kind: stored.manifest.kind.clone(),
        };
        let file = stored.manifest.file(FILE.0).ok_or_else(none)?;
        let reader = FileReader::try_new(Cursor::new(stored.read(file)?), None)?;
        if reader.schema() != schema() {
            return Err(HistoryError::Columns {
                model: stored.id(),
                found: format!("{:?}", reader.schema().fields()),
            }
            .into());
        }
        let mut history = Self::default();
        for batch in reader {
            let batch = batch?;
            let epochs = batch.column(0).as_primitive::<Int64Type>().values();
            let metrics = batch.column(1).as_string::<i32>();
            let values = batch.column(2).as_primitive::<Float64Type>().values();
            for (at, (epoch, value)) in epochs.iter().zip(values).enumerate() {
                history.record(u32::try_from(*epoch)?, metrics.value(at), *value);
            }
        }
        Ok(history)
    }
}

fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("epoch", DataType::Int64, false),
        Field::new("metric", DataType::Utf8, false),
        Field::new("value", DataType::Float64, false),
    ]))
}
