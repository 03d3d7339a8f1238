//! What scans JSON files: a file, or the lines that begin in a part of it, by one partition.

use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DataFusionError, Result, exec_datafusion_err, internal_err};
use datafusion::datasource::file_format::file_compression_type::FileCompressionType;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{
    FileOpenFuture, FileOpener, FileScanConfig, FileSource,
};
use datafusion::datasource::projection::{ProjectionOpener, SplitProjection};
use datafusion::datasource::table_schema::TableSchema;
use datafusion::object_store::{GetOptions, GetRange, ObjectStore};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::projection::ProjectionExprs;
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use futures::{StreamExt, stream};
use lexstream_codec::{BatchLimits, FailedRecord, FileRows, JsonFile};

use super::input::{Input, Part, failed, lines_before, path_of, unreadable};

/// Bytes of a file with which a batch ends, however few rows they are.
const BATCH_BYTES: usize = 16 << 20;

/// Bytes of one object, at most: a column of text holds no more.
const LONGEST_RECORD: usize = i32::MAX as usize;

/// What an object that a border of a part cuts has for a reason.
const IN_PARTS: &str = "a large file is read in parts, which asks for one object a line; SET datafusion.optimizer.repartition_file_scans = false reads it whole";

/// JSON files of one table.
#[derive(Clone)]
pub(super) struct JsonSource {
    schema: TableSchema,
    projection: SplitProjection,
    /// Whether a file may be read in parts, which begin where a line does.
    in_parts: bool,
    batch_rows: Option<usize>,
    metrics: ExecutionPlanMetricsSet,
}

impl JsonSource {
    pub(super) fn new(schema: TableSchema, in_parts: bool) -> Self {
        JsonSource {
            projection: SplitProjection::unprojected(&schema),
            schema,
            in_parts,
            batch_rows: None,
            metrics: ExecutionPlanMetricsSet::new(),
        }
    }
}

impl FileSource for JsonSource {
    fn create_file_opener(
        &self,
        store: Arc<dyn ObjectStore>,
        scan: &FileScanConfig,
        _partition: usize,
    ) -> Result<Arc<dyn FileOpener>> {
        let Some(batch_rows) = self.batch_rows else {
            return internal_err!("a scan says how many rows a batch has before it opens files");
        };
        let in_file = self.schema.file_schema();
        let opener = JsonOpener {
            store,
            schema: Arc::new(in_file.project(&self.projection.file_indices)?),
            compression: scan.file_compression_type,
            batch_rows,
        };
        ProjectionOpener::try_new(self.projection.clone(), Arc::new(opener), in_file)
    }

    fn table_schema(&self) -> &TableSchema {
        &self.schema
    }

    fn with_batch_size(&self, batch_size: usize) -> Arc<dyn FileSource> {
        Arc::new(JsonSource {
            batch_rows: Some(batch_size),
            ..self.clone()
        })
    }

    fn projection(&self) -> Option<&ProjectionExprs> {
        Some(&self.projection.source)
    }

    fn try_pushdown_projection(
        &self,
        projection: &ProjectionExprs,
    ) -> Result<Option<Arc<dyn FileSource>>> {
        let projection = self.projection.source.try_merge(projection)?;
        Ok(Some(Arc::new(JsonSource {
            projection: SplitProjection::new(self.schema.file_schema(), &projection),
            ..self.clone()
        })))
    }

    fn supports_repartitioning(&self) -> bool {
        self.in_parts
    }

    fn metrics(&self) -> &ExecutionPlanMetricsSet {
        &self.metrics
    }

    fn file_type(&self) -> &'static str {
        "json"
    }

    fn apply_expressions(
        &self,
        visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        for projected in self.projection.source.iter() {
            if let TreeNodeRecursion::Stop = visit(&projected.expr)? {
                return Ok(TreeNodeRecursion::Stop);
            }
        }
        Ok(TreeNodeRecursion::Continue)
    }
}

/// Opens files, or parts of them.
struct JsonOpener {
    store: Arc<dyn ObjectStore>,
    schema: SchemaRef,
    compression: FileCompressionType,
    batch_rows: usize,
}

impl FileOpener for JsonOpener {
    fn open(&self, file: PartitionedFile) -> Result<FileOpenFuture> {
        let limits = BatchLimits {
            rows: self.batch_rows,
            bytes: BATCH_BYTES,
        };
        let reader = JsonFile::try_new(&self.schema, limits)
            .map_err(|error| exec_datafusion_err!("{error}"))?;
        let (store, compression) = (Arc::clone(&self.store), self.compression);
        Ok(Box::pin(async move {
            let part = file.range.as_ref().map(|_| Part::new(&file));
            let options = GetOptions {
                range: part.as_ref().map(|part| GetRange::Offset(part.at())),
                ..GetOptions::default()
            };
            let found = store.get_opts(&file.object_meta.location, options).await?;
            let rows = Rows {
                input: Input::try_new(found, compression)?,
                part,
                reader,
                is_end: false,
                store,
                file,
            };
            let rows = stream::try_unfold(rows, async |mut rows| {
                let batch = rows.next().await?;
                Ok(batch.map(|batch| (batch, rows)))
            });
            Ok(rows.boxed())
        }))
    }
}

/// The rows of a file, batch by batch.
struct Rows {
    input: Input,
    part: Option<Part>,
    reader: JsonFile,
    is_end: bool,
    store: Arc<dyn ObjectStore>,
    file: PartitionedFile,
}

impl Rows {
    /// Returns the error of a record, with its line in the file.
    async fn failed(&mut self, record: FailedRecord) -> Result<DataFusionError> {
        let location = &self.file.object_meta.location;
        let path = path_of(location);
        let Some(part) = &self.part else {
            return Ok(failed(&path, 0, &record));
        };
        let before = lines_before(&self.store, location, part.start()).await?;
        let is_at_border = self.is_end || record.line == 1;
        let error = failed(&path, before, &record);
        Ok(match is_at_border {
            true => error.context(IN_PARTS),
            false => error,
        })
    }

    async fn next(&mut self) -> Result<Option<RecordBatch>> {
        let location = &self.file.object_meta.location;
        loop {
            match self.reader.read() {
                Some(FileRows::Batch(batch)) => return Ok(Some(batch)),
                Some(FileRows::Failed(record)) => return Err(self.failed(record).await?),
                None if self.is_end => return Ok(None),
                None if self.reader.held() > LONGEST_RECORD => {
                    let path = path_of(location);
                    return Err(exec_datafusion_err!(
                        "{path}: expected an object of at most 2 GiB, found more"
                    ));
                }
                None => {}
            }
            let read = self.input.read().await;
            let bytes = read.map_err(|error| unreadable(path_of(location), error))?;
            match (bytes, &mut self.part) {
                (Some(bytes), None) => self.reader.push(bytes),
                (Some(bytes), Some(part)) => self.reader.push(part.take(bytes)),
                (None, _) => self.is_end = true,
            }
            self.is_end |= self.part.as_ref().is_some_and(Part::is_read);
            if self.is_end {
                self.reader.finish();
            }
        }
    }
}
