//! The sqllogictest files, each run with its tables in every encoding.

use std::path::Path;

use async_trait::async_trait;
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::error::DataFusionError;
use lexstream::Engine;
use lexstream_integration_tests::encoding::{Encoding, reencode};
use sqllogictest::{AsyncDB, DBOutput, DefaultColumnType, Runner};
use tempfile::TempDir;

struct Database {
    engine: Engine,
    _home: TempDir,
    encoding: Encoding,
}

#[async_trait]
impl AsyncDB for Database {
    type Error = DataFusionError;
    type ColumnType = DefaultColumnType;

    async fn run(&mut self, sql: &str) -> Result<DBOutput<DefaultColumnType>, DataFusionError> {
        let frame = self.engine.sql(sql).await?;
        let width = frame.schema().fields().len();
        let batches = frame.collect().await?;
        if let Some(table) = sql.to_lowercase().strip_prefix("create table ") {
            let name = table
                .split_whitespace()
                .next()
                .unwrap_or_default()
                .to_owned();
            reencode(self.engine.context(), &name, self.encoding).await?;
        }
        if width == 0 {
            return Ok(DBOutput::StatementComplete(0));
        }
        let options = FormatOptions::new().with_null("NULL");
        let mut rows = Vec::new();
        for batch in &batches {
            let columns = batch
                .columns()
                .iter()
                .map(|column| ArrayFormatter::try_new(column, &options));
            let columns = columns.collect::<Result<Vec<_>, _>>()?;
            for row in 0..batch.num_rows() {
                let cells = columns
                    .iter()
                    .map(|column| match column.value(row).to_string() {
                        text if text.is_empty() => "(empty)".to_owned(),
                        text => text,
                    });
                rows.push(cells.collect());
            }
        }
        Ok(DBOutput::Rows {
            types: vec![DefaultColumnType::Any; width],
            rows,
        })
    }

    async fn shutdown(&mut self) {}
}

async fn check(file: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("sqllogictest")
        .join(file);
    for encoding in Encoding::ALL {
        let mut runner = Runner::new(|| async move {
            let home = tempfile::tempdir()?;
            let engine = lexstream::builder()
                .home(home.path())
                .target_partitions(2)
                .set("datafusion.execution.batch_size", "2")
                .build()?;
            Ok(Database {
                engine,
                _home: home,
                encoding,
            })
        });
        if let Err(error) = runner.run_file_async(&path).await {
            panic!("{encoding:?}: {}", error.display(false));
        }
    }
}

macro_rules! files {
    ($($name:ident),+ $(,)?) => {
        $(#[tokio::test]
        async fn $name() {
            check(concat!(stringify!($name), ".slt")).await;
        })+

        #[test]
        fn every_file_is_run() {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("sqllogictest");
            let mut files: Vec<_> = std::fs::read_dir(folder).expect("folder").map(|file| file.expect("file").file_name()).collect();
            files.sort();
            let expected = [$(concat!(stringify!($name), ".slt")),+];
            assert_eq!(files, expected);
        }
    };
}

files!(
    chunk,
    errors,
    keywords,
    likeness,
    models,
    ngrams,
    normalize_text,
    sentences,
    sketches,
    term_frequencies,
    tfidf,
    token_count,
    tokenize,
    vectors,
    words,
);
