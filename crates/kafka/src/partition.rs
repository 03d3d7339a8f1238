//! Partitions of topics, and offsets in them.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use rdkafka::error::KafkaResult;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

/// A partition of a topic; it is shown as `reviews[3]`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Partition {
    /// The topic.
    pub topic: Arc<str>,
    /// The partition's number, from 0.
    pub number: i32,
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[{}]", self.topic, self.number)
    }
}

/// An offset for each of some partitions: that of the message which comes next.
pub type Offsets = BTreeMap<Partition, i64>;

/// Returns partitions as librdkafka takes them.
pub(crate) fn list<'a>(partitions: impl IntoIterator<Item = &'a Partition>) -> TopicPartitionList {
    let mut list = TopicPartitionList::new();
    for partition in partitions {
        list.add_partition(&partition.topic, partition.number);
    }
    list
}

/// Returns offsets as librdkafka takes them.
pub(crate) fn list_of_offsets(offsets: &Offsets) -> KafkaResult<TopicPartitionList> {
    let mut list = TopicPartitionList::with_capacity(offsets.len());
    for (partition, offset) in offsets {
        let offset = Offset::Offset(*offset);
        list.add_partition_offset(&partition.topic, partition.number, offset)?;
    }
    Ok(list)
}

/// Returns the partitions of a list of librdkafka's.
pub(crate) fn partitions(list: &TopicPartitionList) -> Vec<Partition> {
    let elements = list.elements().into_iter();
    let partition = |topic: &str, number| Partition {
        topic: topic.into(),
        number,
    };
    elements
        .map(|element| partition(element.topic(), element.partition()))
        .collect()
}
