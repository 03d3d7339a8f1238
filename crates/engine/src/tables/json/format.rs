//! The format `json`: DataFusion's, but for how files are read.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::Session;
use datafusion::common::parsers::CompressionTypeVariant;
use datafusion::common::{GetExt, Result, Statistics};
use datafusion::datasource::file_format::file_compression_type::FileCompressionType;
use datafusion::datasource::file_format::json::{
    JsonFormat as TheirFormat, JsonFormatFactory as TheirFormats,
};
use datafusion::datasource::file_format::{
    DEFAULT_SCHEMA_INFER_MAX_RECORD, FileFormat, FileFormatFactory,
};
use datafusion::datasource::physical_plan::{FileScanConfig, FileSinkConfig, FileSource};
use datafusion::datasource::table_schema::TableSchema;
use datafusion::object_store::{GetOptions, ObjectMeta, ObjectStore};
use datafusion::physical_expr::LexRequirement;
use datafusion::physical_plan::ExecutionPlan;
use lexstream_codec::JsonTypes;

use super::input::{Input, failed, path_of, unreadable};
use super::source::JsonSource;

/// Makes the format `json` of a session.
#[derive(Debug, Default)]
pub(crate) struct JsonFormats(TheirFormats);

impl FileFormatFactory for JsonFormats {
    fn create(
        &self,
        state: &dyn Session,
        options: &HashMap<String, String>,
    ) -> Result<Arc<dyn FileFormat>> {
        let theirs = self.0.create(state, options)?;
        let options = theirs
            .downcast_ref::<TheirFormat>()
            .map(|format| format.options().clone());
        let format = TheirFormat::default().with_options(options.unwrap_or_default());
        Ok(Arc::new(JsonFormat(format)))
    }

    fn default(&self) -> Arc<dyn FileFormat> {
        Arc::new(JsonFormat::default())
    }
}

impl GetExt for JsonFormats {
    fn get_ext(&self) -> String {
        self.0.get_ext()
    }
}

/// JSON: objects one a line, one after the other, or in one array.
#[derive(Debug, Default)]
pub struct JsonFormat(TheirFormat);

impl JsonFormat {
    fn compression(&self) -> FileCompressionType {
        self.0.options().compression.into()
    }
}

#[async_trait]
impl FileFormat for JsonFormat {
    fn get_ext(&self) -> String {
        self.0.get_ext()
    }

    fn get_ext_with_compression(&self, compression: &FileCompressionType) -> Result<String> {
        self.0.get_ext_with_compression(compression)
    }

    fn compression_type(&self) -> Option<FileCompressionType> {
        self.0.compression_type()
    }

    async fn infer_schema(
        &self,
        _state: &dyn Session,
        store: &Arc<dyn ObjectStore>,
        files: &[ObjectMeta],
    ) -> Result<SchemaRef> {
        let records = self.0.options().schema_infer_max_rec;
        let mut types = JsonTypes::new(records.unwrap_or(DEFAULT_SCHEMA_INFER_MAX_RECORD));
        for file in files {
            let found = store
                .get_opts(&file.location, GetOptions::default())
                .await?;
            let mut input = Input::try_new(found, self.compression())?;
            types.next_file();
            let path = || path_of(&file.location);
            loop {
                let Some(bytes) = input
                    .read()
                    .await
                    .map_err(|error| unreadable(path(), error))?
                else {
                    types
                        .finish()
                        .map_err(|record| failed(&path(), 0, &record))?;
                    break;
                };
                if !types
                    .push(bytes)
                    .map_err(|record| failed(&path(), 0, &record))?
                {
                    return Ok(Arc::new(types.schema()));
                }
            }
        }
        Ok(Arc::new(types.schema()))
    }

    async fn infer_stats(
        &self,
        state: &dyn Session,
        store: &Arc<dyn ObjectStore>,
        schema: SchemaRef,
        file: &ObjectMeta,
    ) -> Result<Statistics> {
        self.0.infer_stats(state, store, schema, file).await
    }

    async fn create_physical_plan(
        &self,
        state: &dyn Session,
        scan: FileScanConfig,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        self.0.create_physical_plan(state, scan).await
    }

    async fn create_writer_physical_plan(
        &self,
        input: Arc<dyn ExecutionPlan>,
        state: &dyn Session,
        sink: FileSinkConfig,
        order: Option<LexRequirement>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        self.0
            .create_writer_physical_plan(input, state, sink, order)
            .await
    }

    fn file_source(&self, schema: TableSchema) -> Arc<dyn FileSource> {
        let in_parts = self.0.is_newline_delimited()
            && self.0.options().compression == CompressionTypeVariant::UNCOMPRESSED;
        Arc::new(JsonSource::new(schema, in_parts))
    }
}
