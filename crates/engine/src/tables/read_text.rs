//! `read_text(pattern [, on_invalid])`: text files as rows.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use async_trait::async_trait;
use datafusion::arrow::array::{
    ArrayRef, Int64Builder, RecordBatch, RecordBatchOptions, StringViewBuilder,
    TimestampMillisecondBuilder,
};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use datafusion::catalog::{Session, TableFunctionArgs, TableFunctionImpl, TableProvider};
use datafusion::common::{
    Result, ScalarValue, exec_datafusion_err, exec_err, plan_err, project_schema,
};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::stream::RecordBatchReceiverStream;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
use lexstream_text::nearest;

use super::listing::{self, Found};
use crate::documentation::{Function, FunctionKind};

/// A batch ends with the file that takes it past this many bytes of text.
const BATCH_BYTES: usize = 8 << 20;

/// A batch has no more rows than this.
const BATCH_ROWS: usize = 1024;

const USAGE: &str = "read_text(pattern [, on_invalid])";

pub(super) fn documentation() -> Function {
    let argument = |name: &str, description: &str| (name.to_owned(), description.to_owned());
    Function {
        name: "read_text".to_owned(),
        kind: FunctionKind::Table,
        section: "Files".to_owned(),
        syntax: USAGE.to_owned(),
        description: "Returns one row for each text file that a path or a glob names: `path` Utf8View, `text` Utf8View, `bytes` Int64 (size of the file), `modified` Timestamp(ms, UTC), in path order where one partition reads them. A file is held whole, and opened only where `text` is asked for; a byte order mark is kept."
            .to_owned(),
        example: "> select regexp_replace(path, '.*/', '') as file, text from read_text('notes/*.txt');".to_owned(),
        arguments: vec![
            argument("pattern", "A constant: a file, or a glob (`*`, `?`, `[a-z]`, `**` for folders at any depth). Hidden files are named by no glob. No match is an error."),
            argument("on_invalid", "A constant, what to do with a file that is not UTF-8: `error` (the default: the query fails and names file and byte), `null` (the text is NULL), `replace` (U+FFFD for each wrong sequence)."),
        ],
    }
}

/// The table function.
#[derive(Debug)]
pub(super) struct ReadText;

impl TableFunctionImpl for ReadText {
    fn call_with_args(&self, args: TableFunctionArgs<'_, '_>) -> Result<Arc<dyn TableProvider>> {
        let (pattern, on_invalid) = match args.exprs() {
            [pattern] => (constant("pattern", pattern)?, OnInvalid::Error),
            [pattern, on_invalid] => (
                constant("pattern", pattern)?,
                OnInvalid::named(&constant("on_invalid", on_invalid)?)?,
            ),
            other => return plan_err!("{USAGE}: expected 1 to 2 arguments, found {}", other.len()),
        };
        let files = match listing::find(&pattern)? {
            Found::File(file) => vec![file],
            Found::Files(files) if !files.is_empty() => files,
            Found::Files(_) => return exec_err!("read_text: no file matches `{pattern}`"),
            Found::Folder(_) => {
                return exec_err!(
                    "read_text: `{pattern}` is a folder; `{}/*` names its files",
                    pattern.trim_end_matches('/')
                );
            }
            Found::Nothing => return exec_err!("read_text: no file `{pattern}`"),
        };
        Ok(Arc::new(TextFiles {
            schema: schema(),
            files,
            on_invalid,
        }))
    }
}

fn constant(name: &str, argument: &Expr) -> Result<String> {
    match argument {
        Expr::Literal(
            value @ (ScalarValue::Utf8(_) | ScalarValue::LargeUtf8(_) | ScalarValue::Utf8View(_)),
            _,
        ) => match value.try_as_str().flatten() {
            Some(text) => Ok(text.to_owned()),
            None => plan_err!("read_text: `{name}` must be a constant text, found NULL"),
        },
        other => plan_err!("read_text: `{name}` must be a constant text, found {other}"),
    }
}

/// What becomes of a file that is not UTF-8.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OnInvalid {
    Error,
    Null,
    Replace,
}

impl OnInvalid {
    const NAMES: [(&'static str, Self); 3] = [
        ("error", Self::Error),
        ("null", Self::Null),
        ("replace", Self::Replace),
    ];

    fn named(name: &str) -> Result<Self> {
        if let Some((_, found)) = Self::NAMES
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
        {
            return Ok(*found);
        }
        let known = Self::NAMES.map(|(name, _)| name);
        let meant = nearest(name, known.into_iter())
            .map(|name| format!("; did you mean `{name}`?"))
            .unwrap_or_default();
        plan_err!(
            "read_text: `on_invalid` must be one of {}, found `{name}`{meant}",
            known.join(", ")
        )
    }
}

fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("path", DataType::Utf8View, false),
        Field::new("text", DataType::Utf8View, true),
        Field::new("bytes", DataType::Int64, false),
        Field::new(
            "modified",
            DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into())),
            true,
        ),
    ]))
}

#[derive(Debug)]
struct TextFiles {
    schema: SchemaRef,
    files: Vec<PathBuf>,
    on_invalid: OnInvalid,
}

#[async_trait]
impl TableProvider for TextFiles {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let schema = project_schema(&self.schema, projection)?;
        let files = &self.files[..limit.unwrap_or(usize::MAX).min(self.files.len())];
        let size = files
            .len()
            .div_ceil(state.config().target_partitions())
            .max(1);
        let partitions = files.chunks(size).map(|files| {
            let (schema, files) = (Arc::clone(&schema), files.into());
            Arc::new(Partition {
                schema,
                files,
                on_invalid: self.on_invalid,
            }) as Arc<dyn PartitionStream>
        });
        let partitions = partitions.collect();
        Ok(Arc::new(StreamingTableExec::try_new(
            schema,
            partitions,
            None,
            [],
            false,
            limit,
        )?))
    }
}

#[derive(Debug)]
struct Partition {
    schema: SchemaRef,
    files: Arc<[PathBuf]>,
    on_invalid: OnInvalid,
}

impl PartitionStream for Partition {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        let (schema, files, on_invalid) = (
            Arc::clone(&self.schema),
            Arc::clone(&self.files),
            self.on_invalid,
        );
        let mut stream = RecordBatchReceiverStream::builder(Arc::clone(&schema), 1);
        let sender = stream.tx();
        stream.spawn_blocking(move || {
            let mut files = files.iter().peekable();
            while files.peek().is_some() {
                let mut batch = Batch::default();
                while batch.rows < BATCH_ROWS && batch.text_bytes < BATCH_BYTES {
                    let Some(file) = files.next() else { break };
                    batch.push(&schema, file, on_invalid)?;
                }
                // Nobody listens any more: the query has ended.
                if sender.blocking_send(batch.finish(&schema)).is_err() {
                    break;
                }
            }
            Ok(())
        });
        stream.build()
    }
}

/// Rows in the making; only the columns that are asked for are filled.
#[derive(Default)]
struct Batch {
    rows: usize,
    text_bytes: usize,
    path: StringViewBuilder,
    text: StringViewBuilder,
    bytes: Int64Builder,
    modified: TimestampMillisecondBuilder,
}

impl Batch {
    fn push(&mut self, schema: &Schema, file: &Path, on_invalid: OnInvalid) -> Result<()> {
        let failed = |error: std::io::Error| {
            exec_datafusion_err!("{}: {}", file.display(), listing::described(&error))
        };
        let asked = |name: &str| schema.index_of(name).is_ok();
        if asked("path") {
            self.path.try_append_value(file.to_string_lossy())?;
        }
        if asked("bytes") || asked("modified") {
            let metadata = std::fs::metadata(file).map_err(failed)?;
            self.bytes.append_value(metadata.len() as i64);
            let modified = metadata
                .modified()
                .ok()
                .and_then(|time| time.duration_since(UNIX_EPOCH).ok());
            self.modified
                .append_option(modified.map(|time| time.as_millis() as i64));
        }
        if asked("text") {
            let bytes = std::fs::read(file).map_err(failed)?;
            self.text_bytes += bytes.len();
            match (String::from_utf8(bytes), on_invalid) {
                (Ok(text), _) => self.text.try_append_value(text)?,
                (Err(_), OnInvalid::Null) => self.text.append_null(),
                (Err(error), OnInvalid::Replace) => self
                    .text
                    .try_append_value(String::from_utf8_lossy(error.as_bytes()))?,
                (Err(error), OnInvalid::Error) => {
                    let byte = error.utf8_error().valid_up_to();
                    return exec_err!(
                        "{}: expected UTF-8, found an invalid byte at {byte}",
                        file.display()
                    );
                }
            }
        }
        self.rows += 1;
        Ok(())
    }

    fn finish(mut self, schema: &SchemaRef) -> Result<RecordBatch> {
        let columns = schema.fields().iter().map(|field| -> ArrayRef {
            match field.name().as_str() {
                "path" => Arc::new(self.path.finish()),
                "text" => Arc::new(self.text.finish()),
                "bytes" => Arc::new(self.bytes.finish()),
                _ => Arc::new(self.modified.finish().with_timezone("UTC")),
            }
        });
        let options = RecordBatchOptions::new().with_row_count(Some(self.rows));
        Ok(RecordBatch::try_new_with_options(
            Arc::clone(schema),
            columns.collect(),
            &options,
        )?)
    }
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::util::pretty::pretty_format_batches;

    use super::*;
    use crate::EngineBuilder;

    async fn read(folder: &Path, query: &str) -> Result<String> {
        let engine = EngineBuilder::default().target_partitions(2).build()?;
        let query = query.replace("$", folder.to_str().expect("UTF-8"));
        let batches = engine.sql(&query).await?.collect().await?;
        let table = pretty_format_batches(&batches)?.to_string();
        let rows = table.lines().skip(3).filter(|line| line.starts_with('|'));
        Ok(rows
            .map(|row| {
                row.trim_matches('|')
                    .split_whitespace()
                    .collect::<Vec<_>>()
                    .join(" ")
            })
            .collect::<Vec<_>>()
            .join(";"))
    }

    async fn check(query: &str, expected: &str) {
        let folder = tempfile::tempdir().expect("folder");
        std::fs::write(folder.path().join("a.txt"), "one").expect("a");
        std::fs::write(folder.path().join("b.txt"), "").expect("b");
        std::fs::write(folder.path().join("评论 %.txt"), "好").expect("c");
        std::fs::write(folder.path().join("bad.bin"), b"ok\xff").expect("bad");
        match read(folder.path(), query).await {
            Ok(rows) => assert_eq!(rows, expected, "{query}"),
            Err(error) => assert!(
                error
                    .strip_backtrace()
                    .ends_with(&expected.replace("$", folder.path().to_str().expect("UTF-8"))),
                "{query}: {error}"
            ),
        }
    }

    #[tokio::test]
    async fn each_file_is_a_row() {
        check(
            "SELECT right(path, 5), text, bytes FROM read_text('$/*.txt') ORDER BY path",
            "a.txt | one | 3;b.txt | | 0;%.txt | 好 | 3",
        )
        .await;
        check("SELECT text FROM read_text('$/a.txt')", "one").await;
        check("SELECT count(*) FROM read_text('$/*')", "4").await;
        check(
            "SELECT modified > TIMESTAMP '2020-01-01T00:00:00Z' FROM read_text('$/a.txt')",
            "true",
        )
        .await;
        check("SELECT bytes FROM read_text('$/*.bin') LIMIT 1", "3").await;
    }

    #[tokio::test]
    async fn bytes_that_are_no_text_are_treated_as_asked() {
        check(
            "SELECT text FROM read_text('$/bad.bin')",
            "$/bad.bin: expected UTF-8, found an invalid byte at 2",
        )
        .await;
        check(
            "SELECT text FROM read_text('$/bad.bin', 'replace')",
            "ok\u{fffd}",
        )
        .await;
        check(
            "SELECT text IS NULL FROM read_text('$/bad.bin', 'null')",
            "true",
        )
        .await;
    }

    #[tokio::test]
    async fn wrong_arguments_are_named() {
        check(
            "SELECT * FROM read_text()",
            "read_text(pattern [, on_invalid]): expected 1 to 2 arguments, found 0",
        )
        .await;
        check(
            "SELECT * FROM read_text(7)",
            "read_text: `pattern` must be a constant text, found Int64(7)",
        )
        .await;
        check("SELECT * FROM read_text('$/a.txt', 'nul')", "read_text: `on_invalid` must be one of error, null, replace, found `nul`; did you mean `null`?").await;
        check(
            "SELECT * FROM read_text('$/no.txt')",
            "read_text: no file `$/no.txt`",
        )
        .await;
        check(
            "SELECT * FROM read_text('$/*.md')",
            "read_text: no file matches `$/*.md`",
        )
        .await;
        check(
            "SELECT * FROM read_text('$')",
            "read_text: `$` is a folder; `$/*` names its files",
        )
        .await;
    }
}
