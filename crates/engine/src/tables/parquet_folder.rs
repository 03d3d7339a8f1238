//! The folder of Parquet files that an INSERT writes.

use std::path::PathBuf;

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::default_table_source::source_as_provider;
use datafusion::common::config::TableParquetOptions;
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::datasource::listing::ListingTable;
use datafusion::logical_expr::dml::InsertOp;
use datafusion::logical_expr::{DmlStatement, WriteOp};

/// A folder of Parquet files.
#[derive(Debug)]
pub struct ParquetFolder {
    /// The name that the script gives it.
    pub name: String,
    /// Where it is.
    pub folder: PathBuf,
    /// Its columns.
    pub schema: SchemaRef,
    /// How its files are written.
    pub options: TableParquetOptions,
}

impl ParquetFolder {
    /// Returns the folder that an INSERT writes, or why it is none that files are put into one by one.
    pub fn of_insert(insert: &DmlStatement) -> Result<Self, String> {
        let name = insert.table_name.to_string();
        if insert.op != WriteOp::Insert(InsertOp::Append) {
            return Err(format!("expected INSERT INTO, found {}", insert.op));
        }
        let table = source_as_provider(&insert.target).map_err(|error| error.strip_backtrace())?;
        let Some(listing) = table.downcast_ref::<ListingTable>() else {
            return Err(format!("`{name}` is no table of files"));
        };
        let Some(format) = listing.options().format.downcast_ref::<ParquetFormat>() else {
            let format = listing.options().format.get_ext();
            return Err(format!(
                "`{name}` is stored as {format}; a batch job or a stream writes Parquet"
            ));
        };
        if !listing.options().table_partition_cols.is_empty() {
            return Err(format!(
                "`{name}` is PARTITIONED BY columns, which a batch job or a stream can't write"
            ));
        }
        let folder = match listing.table_paths().as_slice() {
            [path] if path.scheme() == "file" && path.is_folder() => {
                path.get_url().to_file_path().ok()
            }
            _ => None,
        };
        let Some(folder) = folder else {
            return Err(format!(
                "`{name}` is no local folder: its LOCATION must end in `/`"
            ));
        };
        Ok(Self {
            name,
            folder,
            schema: table.schema(),
            options: format.options().clone(),
        })
    }
}
