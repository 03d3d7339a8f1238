//! What there is after a stream has run.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::kafka::{Isolation, Kafka, Record};

/// What a reader of committed records finds in the topics of a stream.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// Each input topic.
    pub inputs: Vec<Input>,
    /// Each output topic and its records, by INSERT.
    pub outputs: Vec<(Arc<str>, Vec<Record>)>,
    /// Dead letters.
    pub dead: Vec<Record>,
}

/// An input topic, and how far the group is.
#[derive(Debug, Clone)]
pub struct Input {
    /// The topic.
    pub topic: Arc<str>,
    /// Its records.
    pub records: Vec<Record>,
    /// The end of each partition.
    pub ends: BTreeMap<i32, i64>,
    /// The group's offset for each partition that has one.
    pub committed: BTreeMap<i32, i64>,
}

impl Seen {
    /// Looks at the topics of a stream and at its group's offsets.
    pub fn at(
        kafka: &Kafka,
        group: &str,
        inputs: &[&str],
        outputs: &[&str],
        dead: Option<&str>,
    ) -> Self {
        let read = |topic: &str| kafka.read_all(topic, Isolation::Committed);
        let input = |topic: &&str| Input {
            topic: (*topic).into(),
            records: read(topic),
            ends: kafka.ends(topic, Isolation::Committed),
            committed: kafka.committed(group, topic),
        };
        let output = |topic: &&str| ((*topic).into(), read(topic));
        Self {
            inputs: inputs.iter().map(input).collect(),
            outputs: outputs.iter().map(output).collect(),
            dead: dead.map(read).unwrap_or_default(),
        }
    }
}
