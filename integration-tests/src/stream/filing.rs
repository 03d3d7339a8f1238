//! A stream from reviews into a folder of Parquet files.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::process::Child;
use std::time::Duration;

use serde_json::{Value, json};

use super::processor::Processor;
use super::reviews::fate;
use super::workshop::Workshop;
use crate::check::{DEAD, Fate, Input, SOURCE, Seen, Tally, check};
use crate::job::{footer, parts, rows};
use crate::kafka::{Isolation, Kafka, Record, wait_for};

/// Files come within this time.
const PATIENCE: Duration = Duration::from_secs(60);

/// Each row says where it comes from.
const QUERY: &str = "\
INSERT INTO scored SELECT _partition_id, _partition_offset, id, token_count(text), 60 / (id % 60) \
FROM reviews WHERE id % 7 < 6;
";

/// Many small files.
const ARGUMENTS: [&str; 6] = [
    "--set",
    "lexstream.stream.batch_rows=50",
    "--set",
    "lexstream.stream.file_rows=60",
    "--set",
    "lexstream.stream.file_interval_ms=300",
];

/// A pipeline from reviews to Parquet files, with dead letters.
#[derive(Debug)]
pub struct Filing<'a> {
    /// Its topics and its home.
    pub workshop: Workshop<'a>,
}

impl<'a> Filing<'a> {
    /// Makes the topics, and a script with these options of the table that is read.
    pub fn new(kafka: &'a Kafka, hint: &str, partitions: i32, options: &[(&str, &str)]) -> Self {
        let workshop = Workshop::without_script(kafka, hint, partitions);
        let dead = ("errors.deadletterqueue.topic.name", &*workshop.dead);
        let columns = "_partition_id INT, _partition_offset BIGINT, id BIGINT, text VARCHAR";
        let source = workshop.source(columns, &[&[dead], options].concat());
        let scored = "CREATE EXTERNAL TABLE scored (p INT, o BIGINT, id BIGINT, n BIGINT, q BIGINT) \
                      STORED AS PARQUET LOCATION 'out/';\n";
        let filing = Self { workshop };
        fs::create_dir(filing.out()).expect("a folder");
        let script = filing.workshop.path("pipeline.sql");
        fs::write(script, [&*source, scored, QUERY].concat()).expect("a script");
        filing
    }

    /// Returns the folder of files.
    pub fn out(&self) -> PathBuf {
        self.workshop.path("out")
    }

    /// Starts a process of this name.
    pub fn start(&self, instance: &str) -> Processor {
        self.workshop.start_with(instance, &ARGUMENTS)
    }

    /// Starts a process that may write no file of more than so many blocks, 512 or 1,024 bytes each: as a full disk.
    pub fn start_on_full_disk(&self, blocks: u32) -> Child {
        let command = self
            .workshop
            .command(&[&["--until-end"], &ARGUMENTS[..]].concat());
        let mut limited = std::process::Command::new("sh");
        limited
            .args([
                "-c",
                &format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\""),
            ])
            .arg(command.get_program())
            .args(command.get_args())
            .envs(
                command
                    .get_envs()
                    .filter_map(|(key, value)| Some((key, value?))),
            )
            .current_dir(command.get_current_dir().expect("it has one"))
            .stdin(std::process::Stdio::null())
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped());
        limited.spawn().expect("sh starts")
    }

    /// Waits until there are so many files, while a process runs.
    pub fn wait_for(&self, files: usize, processor: &mut Processor) {
        let there = wait_for(&format!("{files} files"), PATIENCE, || {
            processor.expect_running();
            (parts(&self.out()).len() >= files).then_some(())
        });
        there.unwrap_or_else(|error| panic!("{error}\n{}", self.workshop.logs()));
    }

    /// Runs the rest of the input.
    pub fn finish(&self, instance: &str) {
        let arguments = [&["--until-end"], &ARGUMENTS[..]].concat();
        let processor = self.workshop.start_with(instance, &arguments);
        processor.expect_end(PATIENCE);
    }

    /// Checks the rows against the input, and the ranges of the files against each other.
    ///
    /// Dead letters are at least once here, so that of those with one source the first counts.
    pub fn check(&self) -> Tally {
        let kafka = self.workshop.kafka;
        let topic = &self.workshop.input;
        let records = kafka.read_all(topic, Isolation::Committed);
        let ends = kafka.ends(topic, Isolation::Committed);
        self.check_ranges(&records, &ends);
        let sources: BTreeMap<_, _> = records
            .iter()
            .map(|record| ((record.partition, record.offset), record))
            .collect();
        let found = rows(&self.out());
        let outputs = found.iter().enumerate().map(|(at, row)| {
            let number = |key: &str| row[key].as_i64().expect(key);
            let (partition, offset) = (number("p"), number("o"));
            let source = sources.get(&(partition as i32, offset));
            let mut record = (*source.unwrap_or_else(|| panic!("no source of {row}"))).clone();
            let places = [topic.clone(), partition.to_string(), offset.to_string()];
            let headers = SOURCE.iter().zip(places);
            record
                .headers
                .extend(headers.map(|(key, value)| ((*key).to_owned(), Some(value.into_bytes()))));
            (record.partition, record.offset) = (0, at as i64);
            let value = json!({ "id": row["id"], "n": row["n"], "q": row["q"] });
            record.value = Some(value.to_string().into_bytes());
            record
        });
        let mut known = BTreeSet::new();
        let mut dead = kafka.read_all(&self.workshop.dead, Isolation::Committed);
        dead.retain(|letter| known.insert(DEAD.map(|key| letter.header(key).map(str::to_owned))));
        let seen = Seen {
            outputs: vec![("out/".into(), outputs.collect())],
            inputs: vec![Input {
                topic: topic.as_str().into(),
                records,
                committed: ends.clone(),
                ends,
            }],
            dead,
        };
        let fate = |topic: &str, record: &Record| match fate(topic, record) {
            Fate::Out(values) => Fate::Out(values.into_iter().take(1).collect()),
            Fate::Dead => Fate::Dead,
        };
        check(&seen, fate).unwrap_or_else(|faults| panic!("{faults}\n{}", self.workshop.logs()))
    }

    /// Each partition's files follow each other from its beginning to its end, and their footers count every message.
    fn check_ranges(&self, records: &[Record], ends: &BTreeMap<i32, i64>) {
        let mut next: BTreeMap<i32, i64> = BTreeMap::new();
        let mut counts: BTreeMap<i32, u64> = BTreeMap::new();
        for part in parts(&self.out()) {
            let footer: BTreeMap<_, _> = footer(&part).into_iter().collect();
            let number = |key: &str| -> i64 {
                let text = footer.get(key).unwrap_or_else(|| panic!("{key}: {part:?}"));
                text.parse().expect(key)
            };
            let partition = number("lexstream.partition") as i32;
            let (first, behind) = (
                number("lexstream.first_offset"),
                number("lexstream.next_offset"),
            );
            let before = next.insert(partition, behind).unwrap_or(0);
            assert_eq!(first, before, "{}", part.display());
            let tally: Value = serde_json::from_str(&footer["lexstream.messages"]).expect("JSON");
            let messages = tally["messages"].as_u64().expect("a number");
            *counts.entry(partition).or_default() += messages;
        }
        for (&partition, &end) in ends {
            let of_it = records
                .iter()
                .filter(|record| record.partition == partition);
            let (count, last) = of_it.fold((0, 0), |(count, last): (u64, i64), record| {
                (count + 1, last.max(record.offset + 1))
            });
            assert_eq!(
                counts.get(&partition).copied().unwrap_or(0),
                count,
                "[{partition}]"
            );
            let next = next.get(&partition).copied().unwrap_or(0);
            assert!((last..=end).contains(&next), "[{partition}]: {next}, {end}");
        }
    }
}
