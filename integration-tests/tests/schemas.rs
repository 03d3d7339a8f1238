//! The demo's messages and its dead letters are what `schemas/` says.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Output};

use lexstream_integration_tests::binary::run;
use lexstream_integration_tests::onnx::models;

use crate::broker::{broker, end};
use crate::demo::{corpus, root};
use crate::parquet_readers::python;

/// The topics of values, and the columns of their messages.
const TOPICS: [(&str, &str); 3] = [
    ("readmes", "crate, version, text"),
    ("labelled", "crate, topic, words, tokens"),
    ("embedded", "crate, vector"),
];

/// The demo's topics in a broker of its own.
struct Demo {
    home: String,
    /// Statements that make the topics' tables.
    tables: String,
}

impl Demo {
    fn new(folder: &Path, brokers: &str) -> Self {
        let home = folder.join("home");
        fs::create_dir_all(&home).expect("home");
        symlink(models().join("onnxruntime"), home.join("onnxruntime")).expect("a link");
        let raw = ["labelled", "embedded"].map(|topic| {
            format!(
                "CREATE EXTERNAL TABLE {topic}_raw (message VARCHAR) STORED AS KAFKA \
                 LOCATION 'kafka://{brokers}/{topic}' OPTIONS ('format' 'raw');"
            )
        });
        let letters = format!(
            "CREATE EXTERNAL TABLE letters (_key BYTEA, _timestamp TIMESTAMP(3), \
             _headers STRUCT<key VARCHAR, value BYTEA>[], _message BYTEA) \
             STORED AS KAFKA LOCATION 'kafka://{brokers}/readmes.dead';"
        );
        let made = example("topics").replace("{brokers}", brokers);
        Self {
            home: home.to_str().expect("UTF-8").to_owned(),
            tables: format!("{made}\n{}\n{letters}\n", raw.join("\n")),
        }
    }

    /// Runs a script behind the statements that make the tables; returns the lines that it prints.
    fn run(&self, command: &[&str], script: &str) -> Vec<String> {
        let script = format!("{}{script}", self.tables);
        let arguments = ["--home", &self.home, "--command", &script];
        let ended = run(&[command, &arguments].concat(), "");
        assert_eq!(ended.status, Some(0), "{}", ended.error);
        ended.output.lines().map(str::to_owned).collect()
    }

    fn sql(&self, script: &str) -> Vec<String> {
        self.run(&["sql", "--quiet", "--format", "nd-json"], script)
    }

    /// Returns the messages that a query gives in its one column.
    fn messages(&self, query: &str) -> Vec<String> {
        let lines = self.sql(query).into_iter();
        let message = |line: String| {
            let row: serde_json::Value = serde_json::from_str(&line).expect("an object a line");
            row["message"].as_str().expect("text").to_owned()
        };
        lines.map(message).collect()
    }
}

fn example(name: &str) -> String {
    fs::read_to_string(root().join(format!("examples/{name}.sql"))).expect(name)
}

/// Holds the files of a folder against the schemas.
fn check(folder: &Path) -> Output {
    Command::new(python())
        .arg(root().join("python/check_messages.py"))
        .args([&root().join("schemas"), folder])
        .output()
        .expect("python runs")
}

fn write(folder: &Path, topic: &str, messages: &[String]) {
    fs::create_dir_all(folder).expect("a folder");
    fs::write(
        folder.join(format!("{topic}.ndjson")),
        messages.join("\n") + "\n",
    )
    .expect(topic);
}

#[test]
fn the_messages_of_the_demo_are_of_their_schemas_and_the_broken_ones_are_not() {
    let folder = tempfile::tempdir().expect("folder");
    corpus(folder.path());
    let topics = "readmes:2,labelled:2,embedded:2,readmes.dead:1";
    let (child, brokers) = broker(&["--topics", topics]);
    let demo = Demo::new(folder.path(), &brokers);
    let path = |name: &str| format!("{}/{name}", folder.path().display());
    demo.sql(
        &example("corpus")
            .replace("{registry}", &path("registry"))
            .replace("corpus.parquet", &path("corpus.parquet")),
    );
    demo.sql(&example("send").replace("corpus.parquet", &path("corpus.parquet")));
    let made = models();
    let create = ["minilm", "topics"].map(|name| {
        let folder = match name {
            "minilm" => "all-MiniLM-L6-v2",
            other => other,
        };
        format!(
            "CREATE MODEL {name} WITH ('path' = '{}/{folder}');",
            made.display()
        )
    });
    demo.sql(&create.join(" "));
    demo.run(&["stream", "--until-end"], &example("stream"));

    let broken =
        demo.messages("SELECT message FROM readmes_dead WHERE message IS NOT NULL ORDER BY 1");
    assert_eq!(broken.len(), 3);
    let good = folder.path().join("good");
    for (topic, columns) in TOPICS {
        let all = demo.messages(&format!("SELECT message FROM {topic}_raw"));
        let messages: Vec<_> = all
            .into_iter()
            .filter(|message| !broken.contains(message))
            .collect();
        assert_eq!(messages.len(), 3, "{topic}");
        write(&good, topic, &messages);
        demo.sql(&format!(
            "COPY (SELECT {columns} FROM {topic}) TO '{}/{topic}.parquet'",
            good.display()
        ));
    }
    let headers = demo.sql(
        "SELECT number, h['key'] AS key, arrow_cast(h['value'], 'Utf8') AS value FROM \
         (SELECT row_number() OVER () AS number, unnest(_headers) AS h FROM letters)",
    );
    write(&good, "dead_letter", &objects(&headers));
    demo.sql(&format!(
        "COPY (SELECT * FROM letters) TO '{}/dead_letter.parquet'",
        good.display()
    ));
    let checked = check(&good);
    assert!(
        checked.status.success(),
        "{}",
        String::from_utf8_lossy(&checked.stderr)
    );
    let counts = String::from_utf8_lossy(&checked.stdout);
    assert_eq!(counts, "dead_letter 3\nembedded 3\nlabelled 3\nreadmes 3\n");

    for message in broken {
        let bad = folder.path().join("bad");
        write(&bad, "readmes", std::slice::from_ref(&message));
        assert!(!check(&bad).status.success(), "{message}");
    }
    end(child, "TERM");
}

/// Puts the headers of each message together, by their numbers.
fn objects(headers: &[String]) -> Vec<String> {
    let mut objects = std::collections::BTreeMap::new();
    for line in headers {
        let row: serde_json::Value = serde_json::from_str(line).expect("an object a line");
        let key = row["key"].as_str().expect("a name").to_owned();
        let number = row["number"].as_i64().expect("a number");
        let object: &mut serde_json::Map<_, _> = objects.entry(number).or_default();
        object.insert(key, row["value"].clone());
    }
    let objects = objects.into_values().map(serde_json::Value::Object);
    objects.map(|object| object.to_string()).collect()
}
