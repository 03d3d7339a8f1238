//! DataFusion's own sqllogictest files, run by the engine and by a plain session: the same rows, and the same failures.

use std::path::{Path, PathBuf};
use std::{env, fs};

use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::common::Result;
use datafusion::prelude::{DataFrame, SessionConfig, SessionContext};
use lexstream::Engine;
use sqllogictest::{Condition, DefaultColumnType, Record, parse_file};

/// The variable that names the folder `datafusion/sqllogictest/test_files` of a checkout, or one file in it.
const FILES: &str = "LEXSTREAM_DATAFUSION_SLT";

/// What a statement may hold that gives something else each time, or lists what a session has.
const UNLIKE: &[&str] = &[
    "analyze",
    "current_",
    "information_schema",
    "memory_limit",
    "now()",
    "random",
    "show ",
    "uuid",
];

/// A session that statements are run in.
enum Session {
    Engine(Engine),
    Plain(SessionContext),
}

impl Session {
    /// Returns a session of the engine, and one that has nothing of it; their settings are alike.
    fn pair() -> Result<[Self; 2]> {
        let engine = lexstream::builder().target_partitions(4).build()?;
        let mut config = SessionConfig::new()
            .with_information_schema(true)
            .with_target_partitions(4);
        let parquet = engine
            .context()
            .copied_config()
            .options()
            .execution
            .parquet
            .clone();
        config.options_mut().execution.parquet = parquet;
        Ok([
            Self::Engine(engine),
            Self::Plain(SessionContext::new_with_config(config)),
        ])
    }

    async fn frame(&self, sql: &str) -> Result<DataFrame> {
        match self {
            Self::Engine(engine) => engine.sql(sql).await,
            Self::Plain(context) => context.sql(sql).await,
        }
    }

    /// Runs a statement; returns its rows, sorted.
    async fn rows(&self, sql: &str) -> Result<Vec<String>> {
        let batches = self.frame(sql).await?.collect().await?;
        let options = FormatOptions::new().with_null("NULL");
        let mut rows = Vec::new();
        for batch in &batches {
            let columns = batch.columns().iter();
            let columns = columns.map(|column| ArrayFormatter::try_new(column, &options));
            let columns = columns.collect::<Result<Vec<_>, _>>()?;
            for row in 0..batch.num_rows() {
                let cells: Vec<_> = columns
                    .iter()
                    .map(|column| column.value(row).to_string())
                    .collect();
                rows.push(cells.join(" | "));
            }
        }
        rows.sort_unstable();
        Ok(rows)
    }
}

/// Returns the statements of a file, each with its line; those that only another system runs are left out.
fn statements(file: &Path) -> Vec<(String, String)> {
    let records = parse_file::<DefaultColumnType>(file).expect("a sqllogictest file");
    let statements = records.into_iter().filter_map(|record| match record {
        Record::Statement {
            loc,
            conditions,
            sql,
            ..
        }
        | Record::Query {
            loc,
            conditions,
            sql,
            ..
        } => {
            let is_others = |condition: &Condition| matches!(condition, Condition::OnlyIf { .. });
            let lower = sql.to_lowercase();
            let is_alike = !UNLIKE.iter().any(|word| lower.contains(word));
            (is_alike && !conditions.iter().any(is_others)).then(|| (loc.to_string(), sql))
        }
        _ => None,
    });
    statements.collect()
}

/// Runs the statements of a file in one session after the other, each from an empty scratch folder.
async fn differences(file: &Path) -> Vec<String> {
    let statements = statements(file);
    let mut outcomes = Vec::new();
    for session in Session::pair().expect("sessions") {
        let _ = fs::remove_dir_all("test_files/scratch");
        let name = file.file_stem().expect("a name");
        fs::create_dir_all(Path::new("test_files/scratch").join(name)).expect("a scratch folder");
        let mut rows = Vec::new();
        for (_, sql) in &statements {
            rows.push(session.rows(sql).await);
        }
        outcomes.push(rows);
    }
    let [engine, plain] = outcomes.try_into().expect("two sessions");
    let mut differences = Vec::new();
    for (((place, sql), engine), plain) in statements.iter().zip(engine).zip(plain) {
        let is_same = match (&engine, &plain) {
            (Ok(engine), Ok(plain)) => engine == plain,
            (engine, plain) => engine.is_err() && plain.is_err(),
        };
        if !is_same {
            differences.push(format!(
                "{place}: {sql}\n  engine: {engine:?}\n  plain: {plain:?}"
            ));
        }
    }
    println!(
        "{}: {} statements, {} differ",
        file.display(),
        statements.len(),
        differences.len()
    );
    differences
}

fn files(path: &Path) -> Vec<PathBuf> {
    if !path.is_dir() {
        return vec![path.to_owned()];
    }
    let entries = fs::read_dir(path).expect("a folder");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("a file").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "slt"));
    paths.sort();
    paths
}

/// Run it as `LEXSTREAM_DATAFUSION_SLT=…/test_files cargo test -p lexstream-integration-tests -- --ignored datafusion_slt`,
/// alone, since it works in the folder above the files: they name their data from there.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the sqllogictest files of DataFusion, named by LEXSTREAM_DATAFUSION_SLT"]
async fn the_engine_answers_as_a_plain_session_does() {
    let path = env::var_os(FILES).map(PathBuf::from).expect(FILES);
    let path = path.canonicalize().expect("a folder or a file");
    let folder = path
        .ancestors()
        .find(|folder| folder.ends_with("test_files"));
    let above = folder
        .and_then(Path::parent)
        .expect("a folder `test_files`");
    env::set_current_dir(above).expect("the folder above");
    let files = files(&path);
    assert!(
        !files.is_empty(),
        "{}: no file ends in .slt",
        path.display()
    );
    let mut found = Vec::new();
    for file in &files {
        found.extend(differences(file).await);
    }
    assert!(
        found.is_empty(),
        "{} differ:\n{}",
        found.len(),
        found.join("\n")
    );
}
