//! Case folders: a query, its input and the rows it must give, the same by every front end.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::binary;
use crate::job::Job;
use crate::kafka::{Isolation, Kafka, NewRecord, shared};
use crate::topics::table;

/// Figures may differ by this much, relative to their size: sums are taken in another order.
const TOLERANCE: f64 = 1e-5;

/// Tells whether two rows are the same but for how figures are rounded; integers are not.
pub fn same(found: &Value, expected: &Value) -> bool {
    match (found, expected) {
        (Value::Number(found), Value::Number(expected)) if found.is_i64() && expected.is_i64() => {
            found == expected
        }
        (Value::Number(found), Value::Number(expected)) => {
            let (found, expected) = (
                found.as_f64().unwrap_or(f64::NAN),
                expected.as_f64().unwrap_or(f64::NAN),
            );
            (found - expected).abs() <= TOLERANCE * expected.abs().max(1.0)
        }
        (Value::Array(found), Value::Array(expected)) => {
            found.len() == expected.len()
                && found
                    .iter()
                    .zip(expected)
                    .all(|(found, expected)| same(found, expected))
        }
        (Value::Object(found), Value::Object(expected)) => {
            found.len() == expected.len()
                && found.iter().all(|(key, value)| {
                    expected
                        .get(key)
                        .is_some_and(|expected| same(value, expected))
                })
        }
        _ => found == expected,
    }
}

/// One folder under `cases/`: `query.sql` reads the table `input`, which is `input.ndjson`, and keeps its order;
/// `columns.sql` declares its columns for whoever can't tell them from the file.
#[derive(Debug, Clone)]
pub struct Case {
    /// Name of the folder.
    pub name: String,
    folder: PathBuf,
}

impl Case {
    /// Returns every case, by name.
    pub fn all() -> Vec<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases");
        let entries = fs::read_dir(&folder).expect("cases/");
        let mut cases: Vec<_> = entries
            .map(|entry| {
                let folder = entry.expect("a case").path();
                let name = folder
                    .file_name()
                    .expect("a name")
                    .to_string_lossy()
                    .into_owned();
                Self { name, folder }
            })
            .collect();
        cases.sort_by(|a, b| a.name.cmp(&b.name));
        cases
    }

    /// Returns the query.
    pub fn query(&self) -> String {
        self.read("query.sql")
    }

    /// Returns the columns of the input, as a table declares them.
    pub fn columns(&self) -> String {
        self.read("columns.sql").trim().to_owned()
    }

    /// Returns the columns of the result, as a table declares them.
    pub fn result_columns(&self) -> String {
        self.read("result.sql").trim().to_owned()
    }

    /// Returns the rows that it must give, each a JSON object.
    pub fn expected(&self) -> Vec<String> {
        self.read("expected.ndjson")
            .lines()
            .map(str::to_owned)
            .collect()
    }

    /// Returns the path of the input.
    pub fn input(&self) -> PathBuf {
        self.folder.join("input.ndjson")
    }

    fn read(&self, file: &str) -> String {
        let path = self.folder.join(file);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }
}

/// Runs a case by `lexstream sql`, in one partition, which keeps the input's order; returns its rows, each a JSON object.
pub fn by_sql(case: &Case) -> Vec<String> {
    let input = format!(
        "CREATE VIEW input AS SELECT * FROM '{}'",
        case.input().display()
    );
    sql(case, &[&input, &case.query()])
}

/// Runs a case by `lexstream batch` and reads its folder by `lexstream sql`; returns its rows, each a JSON object.
pub fn by_batch(case: &Case) -> Vec<String> {
    let job = Job::default();
    let (input, query) = (case.input().display().to_string(), case.query());
    job.finish(&["--input", &input, "--output", "out", "-c", &query]);
    let read = format!("SELECT * FROM '{}'", job.path("out").display());
    sql(case, &[&read])
}

/// Runs a case by `lexstream sql` over a topic of one partition, its input's lines as messages; returns its rows, each a
/// JSON object.
pub fn by_topic(case: &Case) -> Vec<String> {
    let kafka = shared();
    let topic = input_topic(case, kafka);
    let input = table(kafka, "input", &case.columns(), &topic, "'format' 'json'");
    sql(case, &[&input, &case.query()])
}

/// Runs a case by `lexstream stream` from such a topic to another one; returns the messages that come out.
pub fn by_stream(case: &Case) -> Vec<String> {
    let kafka = shared();
    let (from, to) = (input_topic(case, kafka), kafka.topic(&case.name, 1));
    let options = format!("'format' 'json', 'group.id' '{to}'");
    let input = table(kafka, "input", &case.columns(), &from, &options);
    let options = "'format' 'json', 'json.nulls' 'true'";
    let result = table(kafka, "result", &case.result_columns(), &to, options);
    let insert = format!("INSERT INTO result {}", case.query());
    let home = tempfile::tempdir().expect("a folder");
    let home = home.path().display().to_string();
    let mut arguments = vec!["stream", "--until-end", "--home", &home];
    for statement in [&input, &result, &insert] {
        arguments.extend(["-c", statement]);
    }
    let ended = binary::run(&arguments, "");
    assert_eq!(ended.status, Some(0), "{}: {}", case.name, ended.error);
    let records = kafka.read_all(&to, Isolation::Committed);
    records
        .iter()
        .map(|record| record.text().to_owned())
        .collect()
}

/// Returns a topic of one partition with the input's lines as messages.
fn input_topic(case: &Case, kafka: &Kafka) -> String {
    let topic = kafka.topic(&case.name, 1);
    let input = fs::read_to_string(case.input()).expect("input.ndjson");
    let records: Vec<_> = input.lines().map(NewRecord::of).collect();
    kafka.send(&topic, &records);
    topic
}

fn sql(case: &Case, statements: &[&str]) -> Vec<String> {
    let mut arguments = vec!["sql", "--format", "nd-json"];
    arguments.extend(["--set", "datafusion.execution.target_partitions=1"]);
    for statement in statements {
        arguments.extend(["-c", statement]);
    }
    let ended = binary::run(&arguments, "");
    assert_eq!(ended.status, Some(0), "{}: {}", case.name, ended.error);
    ended.output.lines().map(str::to_owned).collect()
}
