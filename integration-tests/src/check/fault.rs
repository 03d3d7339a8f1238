//! What the check finds wrong.

use std::fmt;
use std::sync::Arc;

use crate::kafka::Record;

/// Where a record is, or was read from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Topic.
    pub topic: Arc<str>,
    /// Partition.
    pub partition: i32,
    /// Offset in the partition.
    pub offset: i64,
}

impl Place {
    /// Describes a place.
    pub fn new(topic: &Arc<str>, partition: i32, offset: i64) -> Self {
        Self {
            topic: Arc::clone(topic),
            partition,
            offset,
        }
    }

    /// Reads the source of a record from its headers; none where one is missing or is no number.
    pub(super) fn of(record: &Record, [topic, partition, offset]: [&str; 3]) -> Option<Self> {
        Some(Self {
            topic: record.header(topic)?.into(),
            partition: record.header(partition)?.parse().ok()?,
            offset: record.header(offset)?.parse().ok()?,
        })
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[{}]@{}", self.topic, self.partition, self.offset)
    }
}

/// In which way something is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Fewer records than there should be of an input record.
    Lost,
    /// More records than there should be of an input record.
    Doubled,
    /// A value that should be another.
    Wrong,
    /// A record that follows one of a later offset of its source partition.
    Inverted,
    /// A part of a record that should be its source's, or should be there.
    NotCarried,
    /// A record whose headers do not say where it comes from.
    NoSource,
    /// A record that comes from what is not in the input.
    Stranger,
    /// A group's offset that is not the input's end.
    Committed,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// In which way.
    pub kind: Kind,
    /// The source of what is wrong; the record itself where it has none.
    pub source: Place,
    /// An output's topic, dead letters or offsets.
    pub found_in: Arc<str>,
    /// What was found and what was expected.
    pub detail: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            kind,
            source,
            found_in,
            detail,
        } = self;
        write!(f, "{kind:?}: {source} in {found_in}: {detail}")
    }
}

/// All that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Faults(pub Vec<Fault>);

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut kinds: Vec<_> = self.0.iter().map(|fault| fault.kind).collect();
        kinds.sort_unstable();
        for kind in kinds.chunk_by(PartialEq::eq) {
            writeln!(f, "{} {:?}", kind.len(), kind[0])?;
        }
        let first = self.0.iter().take(20);
        first
            .into_iter()
            .try_for_each(|fault| writeln!(f, "{fault}"))
    }
}
