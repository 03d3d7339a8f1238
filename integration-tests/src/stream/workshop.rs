//! A stream's topics, script and home.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use super::processor::Processor;
use super::reviews::{QUERIES, fate};
use super::rule::Rule;
use super::under_rule::VARIABLES;
use crate::binary::{Ended, program, wait};
use crate::check::{Faults, Seen, Tally, check};
use crate::kafka::{Isolation, Kafka, wait_for};
use crate::onnx;

/// A stream comes to its end within this time, a broker's start included.
const END: Duration = Duration::from_secs(90);

/// A pipeline from reviews to two outputs and dead letters, and the folder that its processes have as home.
#[derive(Debug)]
pub struct Workshop<'a> {
    pub(super) kafka: &'a Kafka,
    folder: TempDir,
    /// The input's topic.
    pub input: String,
    /// The outputs' topics.
    pub outputs: [String; 2],
    /// The dead letters' topic.
    pub dead: String,
    /// The consumer group.
    pub group: String,
}

impl<'a> Workshop<'a> {
    /// Makes the topics, and a script with these options of the table that is read.
    pub fn new(kafka: &'a Kafka, hint: &str, partitions: i32, options: &[(&str, &str)]) -> Self {
        let workshop = Self::without_script(kafka, hint, partitions);
        let dead = ("errors.deadletterqueue.topic.name", &*workshop.dead);
        workshop.write_script(&[&[dead], options].concat());
        workshop
    }

    /// Makes the topics, and a script by which the first message that fails ends the stream.
    pub fn without_dead_letters(kafka: &'a Kafka, hint: &str, partitions: i32) -> Self {
        let workshop = Self::without_script(kafka, hint, partitions);
        workshop.write_script(&[]);
        workshop
    }

    /// Makes the topics, and a script that a test writes, which knows their names then.
    pub fn with_script(
        kafka: &'a Kafka,
        hint: &str,
        partitions: i32,
        script: impl FnOnce(&Self) -> String,
    ) -> Self {
        let workshop = Self::without_script(kafka, hint, partitions);
        fs::write(workshop.path("pipeline.sql"), script(&workshop)).expect("a script");
        workshop
    }

    pub(super) fn without_script(kafka: &'a Kafka, hint: &str, partitions: i32) -> Self {
        let topic = |part: &str, partitions| {
            let keep = [("retention.ms", "-1")];
            kafka.topic_with(&format!("{hint}-{part}"), partitions, &keep)
        };
        Self {
            kafka,
            folder: tempfile::tempdir().expect("a folder"),
            input: topic("reviews", partitions),
            outputs: [topic("scored", 2), topic("words", 3)],
            dead: topic("dead", 1),
            group: format!("{hint}-{}", std::process::id()),
        }
    }

    /// Returns a path in the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write_script(&self, options: &[(&str, &str)]) {
        let format = [("format", "json")];
        let [scored, words] = &self.outputs;
        let tables = [
            self.source("id BIGINT, text VARCHAR", options),
            self.table("scored", "id BIGINT, n BIGINT, q BIGINT", scored, &format),
            self.table("words", "id BIGINT, word VARCHAR", words, &format),
        ];
        let script = tables.concat() + QUERIES;
        fs::write(self.path("pipeline.sql"), script).expect("a script");
    }

    /// Returns the statement that makes the table that is read.
    pub(super) fn source(&self, columns: &str, options: &[(&str, &str)]) -> String {
        let own = [("format", "json"), ("group.id", &self.group)];
        self.table("reviews", columns, &self.input, &[&own, options].concat())
    }

    /// Returns the statement that makes a topic's table.
    pub fn table(
        &self,
        name: &str,
        columns: &str,
        topic: &str,
        options: &[(&str, &str)],
    ) -> String {
        let options = options
            .iter()
            .map(|(key, value)| format!("'{key}' '{value}'"))
            .collect::<Vec<_>>()
            .join(", ");
        let address = self.kafka.address();
        format!(
            "CREATE EXTERNAL TABLE {name} ({columns}) STORED AS KAFKA \
             LOCATION 'kafka://{address}/{topic}' OPTIONS ({options});\n"
        )
    }

    /// Returns `lexstream stream` over the script, at home in the folder.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(program("lexstream"));
        command
            .args(["stream", "-f", "pipeline.sql"])
            .args(arguments)
            .current_dir(self.folder.path())
            .env("HOME", self.folder.path())
            .env("LEXSTREAM_HOME", self.path("home"))
            .env("ORT_DYLIB_PATH", onnx::library_path())
            .env("RUST_BACKTRACE", "1")
            .stdin(Stdio::null());
        command
    }

    /// Starts a process of this name; small batches make many transactions.
    pub fn start(&self, instance: &str) -> Processor {
        self.start_with(instance, &["--set", "lexstream.stream.batch_rows=50"])
    }

    /// Starts a process of this name with more arguments.
    pub fn start_with(&self, instance: &str, arguments: &[&str]) -> Processor {
        let arguments = [&["--instance", instance], arguments].concat();
        let log = self.path(&format!("{instance}.log"));
        Processor::start(&mut self.command(&arguments), log)
    }

    /// Starts a process of this name that breaks a rule: this test binary, which runs the ignored test `runner`.
    pub fn start_under(&self, rule: Rule, instance: &str, runner: &str) -> Processor {
        let mut command = Command::new(std::env::current_exe().expect("a path"));
        let values = [
            &*rule.to_string(),
            instance,
            self.kafka.address(),
            &self.group,
            &self.dead,
        ];
        command
            .args(["--exact", runner, "--ignored", "--nocapture"])
            .envs(VARIABLES.into_iter().zip(values))
            .current_dir(self.folder.path())
            .stdin(Stdio::null());
        Processor::start(&mut command, self.path(&format!("{instance}.log")))
    }

    /// Returns how many offsets the group has committed, over all partitions.
    pub fn progress(&self) -> i64 {
        self.kafka
            .committed_now(&self.group, &self.input)
            .values()
            .sum()
    }

    /// Waits until the group has committed so many offsets, while a process runs.
    pub fn wait_for(&self, progress: i64, processor: &mut Processor) {
        let what = format!("{progress} offsets of {}", self.group);
        let there = wait_for(&what, END, || {
            processor.expect_running();
            (self.progress() >= progress).then_some(())
        });
        there.unwrap_or_else(|error| panic!("{error}\n{}", self.logs()));
    }

    /// Returns what the topics and the group's offsets are; `outputs` of the topics are written.
    pub fn seen(&self, outputs: usize) -> Seen {
        let names = self.outputs.each_ref().map(String::as_str);
        let inputs = [self.input.as_str()];
        let dead = Some(self.dead.as_str());
        Seen::at(self.kafka, &self.group, &inputs, &names[..outputs], dead)
    }

    /// Returns the progress when everything sent by now is done; a running stream does not book the marks of
    /// transactions behind the last message.
    pub fn end(&self) -> i64 {
        let mut next = BTreeMap::new();
        for record in self.kafka.read_all(&self.input, Isolation::Committed) {
            next.insert(record.partition, record.offset + 1);
        }
        next.values().sum()
    }

    /// Runs the stream to its end, with other arguments.
    pub fn run(&self, arguments: &[&str]) -> Ended {
        let mut command = self.command(arguments);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        wait(command.spawn().expect("lexstream starts"))
    }

    /// Runs the rest of the input, under this name.
    pub fn finish(&self, instance: &str) {
        let processor = self.start_with(instance, &["--until-end"]);
        processor.expect_end(END);
    }

    /// Checks everything that was done, and returns what is wrong.
    pub fn try_check(&self) -> Result<Tally, Faults> {
        check(&self.seen(2), fate)
    }

    /// Checks everything that was done.
    pub fn check(&self) -> Tally {
        self.try_check()
            .unwrap_or_else(|faults| panic!("{faults}\n{}", self.logs()))
    }

    /// Returns what the processes have said last.
    pub fn logs(&self) -> String {
        let entries = fs::read_dir(self.folder.path()).expect("a folder");
        let logs = entries.filter_map(|entry| {
            let path = entry.expect("an entry").path();
            let is_log = path.extension().is_some_and(|found| found == "log");
            is_log.then(|| format!("{}\n{}\n", path.display(), super::processor::tail(&path)))
        });
        logs.collect()
    }
}
