//! Graphs over columns: the task `predict`.

use std::sync::Arc;

use std::path::PathBuf;

use arrow::array::{ArrayRef, new_null_array};
use arrow::datatypes::DataType;
use lexstream_columns::model::{Figures, Model, ModelError, Predictor};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::error::OnnxError;
use super::export::Export;
use super::graph::{Files, GraphDetails, Opened, take};
use crate::inference::{GraphModel, Signature};
use lexstream_models::kinds::Request;
use lexstream_models::store::{FileRecord, Stored};

/// Rows of a run by default.
const MAX_BATCH_ROWS: usize = 256;

/// What the manifest keeps of a model of columns.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Details {
    #[serde(flatten)]
    graph: GraphDetails,
    /// The outputs that are read; all where there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    reads: Vec<String>,
    max_batch_rows: usize,
}

impl Details {
    fn signature(&self, model: &str) -> Result<Signature, OnnxError> {
        let signature = Signature::new(&self.graph.inputs, &self.graph.outputs, &self.reads);
        signature.map_err(|source| OnnxError::Signature {
            model: model.to_owned(),
            source,
        })
    }
}

/// Makes a version; whatever could keep the graph from being loaded shows here.
pub(super) fn make(
    request: &Request<'_>,
    export: &Export,
    runtime: &[PathBuf],
) -> Result<(Vec<FileRecord>, Value), ModelError> {
    let model = request.name.to_string();
    let records = take(request, export)?;
    let files = Files {
        model: &model,
        records: &records,
        place: &|file| request.path(file),
        runtime,
    };
    let reads = request.text("outputs").unwrap_or_default().split(',');
    let details = Details {
        graph: GraphDetails::read(request, &files)?,
        reads: reads
            .map(|name| name.trim().to_owned())
            .filter(|name| !name.is_empty())
            .collect(),
        max_batch_rows: request.count("max_batch_rows")?.unwrap_or(MAX_BATCH_ROWS),
    };
    details.signature(&model)?;
    let details = serde_json::to_value(&details)?;
    Ok((records, details))
}

pub(super) fn open(stored: Stored, runtime: &[PathBuf]) -> Result<Arc<dyn Model>, ModelError> {
    let opened: Opened<Details, GraphModel> = Opened::new(stored, runtime)?;
    Ok(Arc::new(ColumnsModel {
        signature: opened.details.signature(&opened.id)?,
        opened,
    }))
}

/// One version of a model of columns.
#[derive(Debug)]
struct ColumnsModel {
    signature: Signature,
    opened: Opened<Details, GraphModel>,
}

impl Model for ColumnsModel {
    fn id(&self) -> &str {
        &self.opened.id
    }

    fn kind(&self) -> &str {
        &self.opened.kind
    }

    fn figures(&self) -> Figures {
        let built = self.opened.peek();
        built.map_or_else(Figures::default, |model| model.figures())
    }

    fn predictor(&self) -> Option<&dyn Predictor> {
        Some(self)
    }
}

impl Predictor for ColumnsModel {
    fn result_type(&self, inputs: &[DataType]) -> Result<DataType, ModelError> {
        let result = self.signature.result_type(inputs);
        Ok(result.map_err(|source| OnnxError::Signature {
            model: self.opened.id.clone(),
            source,
        })?)
    }

    fn predict(&self, inputs: &[ArrayRef]) -> Result<ArrayRef, ModelError> {
        let types: Vec<_> = inputs
            .iter()
            .map(|input| input.data_type().clone())
            .collect();
        let result = self.result_type(&types)?;
        let rows = inputs.first().map_or(0, |input| input.len());
        if rows == 0 {
            return Ok(new_null_array(&result, 0));
        }
        let model = self.opened.built(|files| {
            let Details {
                graph,
                max_batch_rows,
                ..
            } = &self.opened.details;
            let signature = self.signature.clone();
            let graph_file = graph.graph(files)?;
            Ok(GraphModel::new(
                graph_file,
                signature,
                *max_batch_rows,
                graph.sessions,
            ))
        })?;
        let predicted = model.predict(inputs);
        predicted.map_err(|source| OnnxError::run(&self.opened.id, source))
    }
}
