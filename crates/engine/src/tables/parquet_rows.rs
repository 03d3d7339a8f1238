//! Parquet files whose footer miscounts their rows.

use std::path::Path;

use datafusion::common::{Result, exec_err};
use datafusion::datasource::listing::ListingTableUrl;
use datafusion::datasource::physical_plan::parquet::metadata::DFParquetMetadata;
use datafusion::execution::SessionState;
use datafusion::object_store::ObjectStoreExt;
use datafusion::parquet::file::metadata::RowGroupMetaData;

/// Refuses a file whose footer gives another number of rows than its row groups: one part of a reader believes the one,
/// and another part the other, and rows are lost in between.
///
/// The footer is that of the session's cache, which inferring the columns has filled.
///
/// # Errors
/// The two numbers differ.
pub(super) async fn check(state: &SessionState, file: &Path, url: &ListingTableUrl) -> Result<()> {
    let runtime = state.runtime_env();
    let store = runtime.object_store(url)?;
    let object = store.head(url.prefix()).await?;
    let cache = runtime.cache_manager.get_file_metadata_cache();
    let metadata = DFParquetMetadata::new(store.as_ref(), &object)
        .with_file_metadata_cache(Some(cache))
        .fetch_metadata()
        .await?;
    let footer = metadata.file_metadata().num_rows();
    let groups = metadata.row_groups().iter();
    let groups: i64 = groups.map(RowGroupMetaData::num_rows).sum();
    if footer == groups {
        return Ok(());
    }
    exec_err!(
        "{}: expected {groups} rows, those of the row groups, found {footer} in the footer",
        file.display()
    )
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use datafusion::arrow::util::pretty::pretty_format_batches;
    use datafusion::parquet::data_type::{Int32Type, Int64Type, Int96, Int96Type};
    use datafusion::parquet::file::properties::WriterProperties;
    use datafusion::parquet::file::writer::SerializedFileWriter;
    use datafusion::parquet::schema::parser::parse_message_type;

    use super::*;
    use crate::EngineBuilder;

    /// Three rows of a field that is repeated and has no LIST above it: two numbers, none, and one.
    fn repeated() -> Vec<u8> {
        let schema = "message rows { required int32 id; repeated int64 numbers; }";
        let schema = Arc::new(parse_message_type(schema).expect("a schema"));
        let properties = Arc::new(WriterProperties::builder().build());
        let mut bytes = Vec::new();
        let mut file = SerializedFileWriter::new(&mut bytes, schema, properties).expect("a file");
        let mut rows = file.next_row_group().expect("a row group");
        let mut ids = rows.next_column().expect("rows").expect("ids");
        let written = ids.typed::<Int32Type>().write_batch(&[1, 2, 3], None, None);
        written.expect("ids");
        ids.close().expect("ids");
        let mut numbers = rows.next_column().expect("rows").expect("numbers");
        let levels = (&[1, 1, 0, 1], &[0, 1, 0, 0]);
        let written = numbers.typed::<Int64Type>();
        let written = written.write_batch(&[10, 11, 30], Some(levels.0), Some(levels.1));
        written.expect("numbers");
        numbers.close().expect("numbers");
        rows.close().expect("rows");
        file.close().expect("a file");
        bytes
    }

    /// The same file, with no rows by its footer.
    fn without_rows(mut bytes: Vec<u8>) -> Vec<u8> {
        // In Thrift's compact protocol: the number of rows as a 64-bit integer, 3 in zigzag, and the list of row groups.
        let rows = [0x16, 6, 0x19];
        let place = bytes.windows(rows.len()).rposition(|found| found == rows);
        bytes[place.expect("the number of rows") + 1] = 0;
        bytes
    }

    async fn read(bytes: &[u8], query: &str) -> Result<String> {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("a.parquet");
        std::fs::write(&file, bytes)?;
        let engine = EngineBuilder::default().build()?;
        let query = query.replace("FILE", &format!("'{}'", file.display()));
        let rows = engine.sql(&query).await?.collect().await?;
        Ok(pretty_format_batches(&rows)?.to_string())
    }

    #[tokio::test]
    async fn a_repeated_field_is_a_list_and_a_footer_that_miscounts_is_refused() {
        let file = repeated();
        let query =
            "SELECT count(*) AS n, sum(id) AS ids, array_agg(numbers ORDER BY id) AS l FROM FILE";
        let rows = read(&file, query).await.expect("rows");
        assert!(
            rows.contains("| 3 | 6   | [[10, 11], [], [30]] |"),
            "{rows}"
        );
        let miscounted = without_rows(file);
        // As the file `repeated_no_annotation.parquet` of Parquet's own tests has it.
        for query in [query, "SELECT count(*) FROM FILE"] {
            let error = read(&miscounted, query).await.expect_err(query);
            let expected =
                "a.parquet: expected 3 rows, those of the row groups, found 0 in the footer";
            assert!(error.strip_backtrace().contains(expected), "{error}");
        }
    }

    #[tokio::test]
    async fn a_timestamp_of_96_bits_reaches_the_year_9999() {
        let schema =
            Arc::new(parse_message_type("message rows { required int96 t; }").expect("a schema"));
        let mut bytes = Vec::new();
        let properties = Arc::new(WriterProperties::builder().build());
        let mut file = SerializedFileWriter::new(&mut bytes, schema, properties).expect("a file");
        let mut rows = file.next_row_group().expect("a row group");
        let mut times = rows.next_column().expect("rows").expect("times");
        // Nanoseconds of the day in two halves, and the Julian day: 2,440,588 is 1970-01-01, and 2,932,896 days on is the
        // last one of 9999.
        let mut last = Int96::new();
        last.set_data(1_000, 0, 2_440_588 + 2_932_896);
        let written = times.typed::<Int96Type>().write_batch(&[last], None, None);
        written.expect("times");
        times.close().expect("times");
        rows.close().expect("rows");
        file.close().expect("a file");
        let shown = read(&bytes, "SELECT t FROM FILE").await.expect("rows");
        assert!(shown.contains("| 9999-12-31T00:00:00.000001 |"), "{shown}");
    }

    #[tokio::test]
    async fn the_unit_of_timestamps_of_96_bits_can_be_set() {
        let engine =
            EngineBuilder::default().set("datafusion.execution.parquet.coerce_int96", "ns");
        let engine = engine.build().expect("engine");
        let shown = engine.sql("SHOW datafusion.execution.parquet.coerce_int96");
        let shown = shown
            .await
            .expect("a setting")
            .collect()
            .await
            .expect("a setting");
        let shown = pretty_format_batches(&shown).expect("a table").to_string();
        assert!(shown.contains("| ns "), "{shown}");
    }
}
