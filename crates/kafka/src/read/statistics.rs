//! Ends of partitions from librdkafka's statistics (its `STATISTICS.md`).

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::partition::{Offsets, Partition};

#[derive(Deserialize)]
struct Statistics {
    topics: BTreeMap<String, Topic>,
}

#[derive(Deserialize)]
struct Topic {
    partitions: BTreeMap<String, Ends>,
}

#[derive(Deserialize)]
struct Ends {
    /// Behind the last message that readers of committed ones see; below 0 where it is not known yet.
    ls_offset: i64,
}

/// Returns the ends that are known.
pub(crate) fn ends(statistics: &[u8]) -> serde_json::Result<Offsets> {
    let statistics: Statistics = serde_json::from_slice(statistics)?;
    let mut offsets = Offsets::new();
    for (name, topic) in statistics.topics {
        let name: std::sync::Arc<str> = name.into();
        for (number, ends) in topic.partitions {
            // Beside the partitions stands one of number -1, for messages without any.
            let known = number.parse().ok().filter(|number| *number >= 0);
            if let Some(number) = known
                && ends.ls_offset >= 0
            {
                let topic = std::sync::Arc::clone(&name);
                offsets.insert(Partition { topic, number }, ends.ls_offset);
            }
        }
    }
    Ok(offsets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_that_are_known_are_read() {
        let statistics = br#"{"name": "x", "topics": {"t": {"partitions": {
            "-1": {"ls_offset": -1001}, "0": {"ls_offset": 42, "hi_offset": 43}, "1": {"ls_offset": -1001}
        }}}}"#;
        let partition = Partition {
            topic: "t".into(),
            number: 0,
        };
        let ends = ends(statistics).expect("statistics");
        assert_eq!(ends, Offsets::from([(partition, 42)]));
    }
}
