//! A batch job in a folder of its own: its inputs below `in/`, its results in `out/`.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use arrow::array::{ArrayRef, RecordBatch};
use arrow::json::WriterBuilder;
use arrow::json::writer::LineDelimited;
use datafusion::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use datafusion::parquet::errors::ParquetError;
use datafusion::parquet::file::metadata::{KeyValue, ParquetMetaDataReader};
use serde_json::Value;
use tempfile::TempDir;

use crate::binary::{Ended, program, wait};
use crate::{corpus, onnx};

/// A job, and what it reads and writes.
#[derive(Debug)]
pub struct Job {
    folder: TempDir,
}

impl Default for Job {
    fn default() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir(folder.path().join("in")).expect("in/");
        Self { folder }
    }
}

impl Job {
    /// Returns a path in the job's folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file into the job's folder.
    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect(name);
        fs::write(path, text).expect(name);
    }

    /// Writes a Parquet file of these columns below `in/`, in row groups of 1,000 rows.
    pub fn write_table(&self, name: &str, columns: Vec<(&str, ArrayRef)>) {
        let path = self.path(&format!("in/{name}"));
        corpus::write(&path, &corpus::table(columns), 1000);
    }

    /// Returns `lexstream batch` with these arguments, at home in the job's folder, where it runs.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(program("lexstream"));
        command.arg("batch").args(arguments);
        self.settle(&mut command);
        command
    }

    /// Has a command run in the job's folder with its streams piped.
    pub fn settle(&self, command: &mut Command) {
        command
            .current_dir(self.folder.path())
            .env("HOME", self.folder.path())
            .env("LEXSTREAM_HOME", self.path("home"))
            .env("ORT_DYLIB_PATH", onnx::library_path())
            .env("RUST_BACKTRACE", "0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
    }

    /// Starts `lexstream batch`.
    pub fn start(&self, arguments: &[&str]) -> Child {
        self.command(arguments).spawn().expect("lexstream starts")
    }

    /// Runs `lexstream batch` to its end.
    pub fn run(&self, arguments: &[&str]) -> Ended {
        wait(self.start(arguments))
    }

    /// Runs `lexstream sql` to its end.
    pub fn sql(&self, statements: &str) -> Ended {
        let mut command = Command::new(program("lexstream"));
        command.args(["sql", "-q", "--format", "nd-json", "-c", statements]);
        self.settle(&mut command);
        wait(command.spawn().expect("lexstream starts"))
    }

    /// Runs a job that must finish; returns its summary, after checking that it adds up.
    pub fn finish(&self, arguments: &[&str]) -> Value {
        let ended = self.run(&[arguments, &["--format", "json"]].concat());
        check_quiet(&ended, Some(0));
        let summary: Value = serde_json::from_str(&ended.output).expect("a summary");
        let number = |key: &str| summary[key].as_u64().expect(key);
        assert_eq!(
            number("rows"),
            number("passed") + number("failed") + number("filtered"),
            "{summary}"
        );
        assert_eq!(
            number("units"),
            number("units_before") + number("units_now") + number("units_by_others"),
            "{summary}"
        );
        summary
    }

    /// Runs a job that must fail with these words.
    pub fn refuse(&self, arguments: &[&str], expected: &str) {
        let ended = self.run(arguments);
        assert!(
            ended.status == Some(1)
                && ended.error.starts_with("error: ")
                && ended.error.contains(expected),
            "{arguments:?}: expected {expected:?}, found {ended:?}"
        );
    }

    /// Checks what a job over what lies below `in/` gives.
    pub fn check(&self, query: &str, expected: &[Value]) {
        self.finish(&over_in(query));
        assert_eq!(self.rows(), expected, "{query}");
    }

    /// Returns the rows of `out/`, in the order of its files, each as JSON.
    pub fn rows(&self) -> Vec<Value> {
        rows(&self.path("out"))
    }
}

/// The arguments of a job over what lies below `in/`, into `out/`.
pub fn over_in(query: &str) -> [&str; 6] {
    ["--input", "in", "--output", "out", "-c", query]
}

/// Checks how a process ended, and that it said nothing but how far it is, as a slow machine may see.
pub fn check_quiet(ended: &Ended, status: Option<i32>) {
    let mut lines = ended.error.lines();
    assert!(
        ended.status == status && lines.all(|line| line.contains(" units · ")),
        "{ended:?}"
    );
}

/// Returns the files of units in a folder, by name.
pub fn parts(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder");
    let mut parts: Vec<_> = entries
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|found| found == "parquet"))
        .collect();
    parts.sort();
    parts
}

/// Returns the rows of a folder's files in the order of their names, each as JSON.
pub fn rows(folder: &Path) -> Vec<Value> {
    let parts = parts(folder);
    let files = parts
        .iter()
        .map(|part| read(part).unwrap_or_else(|error| panic!("{}: {error}", part.display())));
    files.flat_map(|batches| json(&batches)).collect()
}

/// Reads a Parquet file.
pub fn read(path: &Path) -> Result<Vec<RecordBatch>, ParquetError> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(path)?)?.build()?;
    Ok(reader.collect::<Result<_, _>>()?)
}

/// Returns rows as JSON objects.
pub fn json(batches: &[RecordBatch]) -> Vec<Value> {
    let builder = WriterBuilder::new().with_explicit_nulls(true);
    let mut writer = builder.build::<_, LineDelimited>(Vec::new());
    for batch in batches {
        writer.write(batch).expect("rows are JSON");
    }
    writer.finish().expect("rows are JSON");
    let lines = String::from_utf8(writer.into_inner()).expect("JSON is UTF-8");
    let lines = lines.lines().filter(|line| !line.is_empty());
    lines
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect()
}

/// Returns what a file's footer says, by key.
pub fn footer(path: &Path) -> Vec<(String, String)> {
    let file = File::open(path).expect("a file");
    let metadata = ParquetMetaDataReader::new().parse_and_finish(&file);
    let metadata = metadata.expect("a Parquet file");
    let pairs = metadata.file_metadata().key_value_metadata();
    let pair = |pair: &KeyValue| (pair.key.clone(), pair.value.clone().unwrap_or_default());
    pairs.into_iter().flatten().map(pair).collect()
}
