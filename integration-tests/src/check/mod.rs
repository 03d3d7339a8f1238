//! The check that every stream must pass, whatever happened to it: over outputs, dead letters and filtered rows, each
//! input record exactly once, with the right values, in order, and the group's offsets at the input's end.
//!
//! It knows a record's source by the headers that a stream adds, and what should have become of it by a function that
//! computes it anew.

mod fate;
mod fault;
mod kept;
mod seen;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use crate::kafka::Record;

pub use fate::{Fate, Wanted};
pub use fault::{Fault, Faults, Kind, Place};
pub use seen::{Input, Seen};

/// Headers that say where a record of an output comes from.
pub const SOURCE: [&str; 3] = [
    "lexstream.source.topic",
    "lexstream.source.partition",
    "lexstream.source.offset",
];

/// Headers that say where a dead letter comes from.
pub const DEAD: [&str; 3] = [
    "__connect.errors.topic",
    "__connect.errors.partition",
    "__connect.errors.offset",
];

/// How many input records there are, and what became of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Input records.
    pub inputs: usize,
    /// Those in outputs.
    pub out: usize,
    /// Those that are dead letters.
    pub dead: usize,
    /// Those that a WHERE left out.
    pub filtered: usize,
    /// Records in all outputs.
    pub records: usize,
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} in: {} out as {} records, {} dead, {} filtered; 0 lost, 0 doubled, 0 inverted, 0 wrong",
            self.inputs, self.out, self.records, self.dead, self.filtered
        )
    }
}

/// Checks what a stream has done against what `fate` says of each input record and its topic.
pub fn check(seen: &Seen, fate: impl Fn(&str, &Record) -> Fate) -> Result<Tally, Faults> {
    let mut faults = Vec::new();
    let topics = seen.outputs.iter();
    let outputs: Vec<_> = topics
        .map(|(topic, records)| Output::of(topic, records, SOURCE, &mut faults))
        .collect();
    let dead = Output::of("dead letters", &seen.dead, DEAD, &mut faults);
    let mut places = BTreeSet::new();
    let mut tally = Tally::default();
    for input in &seen.inputs {
        for record in &input.records {
            let place = Place::new(&input.topic, record.partition, record.offset);
            let (values, letters) = match fate(&input.topic, record) {
                Fate::Out(values) => (values, 0),
                Fate::Dead => (vec![vec![]; outputs.len()], 1),
            };
            assert_eq!(values.len(), outputs.len(), "values for each output");
            let messages = values.iter().map(Vec::len).sum::<usize>();
            tally.inputs += 1;
            tally.records += messages;
            *match (letters, messages) {
                (1, _) => &mut tally.dead,
                (_, 0) => &mut tally.filtered,
                _ => &mut tally.out,
            } += 1;
            for (output, values) in outputs.iter().zip(&values) {
                let found = output.from(&place);
                output.check_count(&place, found.len(), values.len(), &mut faults);
                output.check_values(&place, found, values, &mut faults);
                let parts = found
                    .iter()
                    .filter_map(|found| kept::lost_of(record, found));
                faults.extend(parts.map(|part| output.fault(Kind::NotCarried, &place, part)));
            }
            let found = dead.from(&place);
            dead.check_count(&place, found.len(), letters, &mut faults);
            let parts = found
                .iter()
                .filter_map(|found| kept::lost_of_dead(record, found));
            faults.extend(parts.map(|part| dead.fault(Kind::NotCarried, &place, part)));
            places.insert(place);
        }
        check_offsets(input, &mut faults);
    }
    for output in outputs.iter().chain([&dead]) {
        let strangers = output
            .sources
            .keys()
            .filter(|place| !places.contains(place));
        faults
            .extend(strangers.map(|place| output.fault(Kind::Stranger, place, "not in the input")));
    }
    if faults.is_empty() {
        return Ok(tally);
    }
    Err(Faults(faults))
}

/// Records of an output, by where they come from.
struct Output<'a> {
    topic: Arc<str>,
    sources: BTreeMap<Place, Vec<&'a Record>>,
}

impl<'a> Output<'a> {
    /// Sorts records, and sees whether those of one source partition are in its order.
    fn of(topic: &str, records: &'a [Record], headers: [&str; 3], faults: &mut Vec<Fault>) -> Self {
        let mut output = Self {
            topic: topic.into(),
            sources: BTreeMap::new(),
        };
        // The last offset of each source partition that each partition of the output has.
        let mut last = BTreeMap::new();
        for record in records {
            let Some(place) = Place::of(record, headers) else {
                let itself = Place::new(&output.topic, record.partition, record.offset);
                let detail = format!("headers {:?}", record.headers);
                faults.push(output.fault(Kind::NoSource, &itself, detail));
                continue;
            };
            let way = (Arc::clone(&place.topic), place.partition, record.partition);
            let before = last.insert(way, place.offset).unwrap_or(i64::MIN);
            if before > place.offset {
                faults.push(output.fault(Kind::Inverted, &place, format!("after @{before}")));
            }
            output.sources.entry(place).or_default().push(record);
        }
        output
    }

    fn fault(&self, kind: Kind, source: &Place, detail: impl Into<String>) -> Fault {
        Fault {
            kind,
            source: source.clone(),
            found_in: Arc::clone(&self.topic),
            detail: detail.into(),
        }
    }

    fn from(&self, place: &Place) -> &[&'a Record] {
        self.sources.get(place).map_or(&[], Vec::as_slice)
    }

    fn check_count(&self, place: &Place, found: usize, wanted: usize, faults: &mut Vec<Fault>) {
        let kind = match found.cmp(&wanted) {
            std::cmp::Ordering::Less => Kind::Lost,
            std::cmp::Ordering::Greater => Kind::Doubled,
            std::cmp::Ordering::Equal => return,
        };
        faults.push(self.fault(kind, place, format!("{found} records, expected {wanted}")));
    }

    /// Checks the values of the records out of one; where their number is wrong, that is said already.
    fn check_values(
        &self,
        place: &Place,
        found: &[&Record],
        wanted: &[Wanted],
        faults: &mut Vec<Fault>,
    ) {
        // Records of several partitions have no order among each other.
        let one_partition = found
            .windows(2)
            .all(|pair| pair[0].partition == pair[1].partition);
        let mut left = found.to_vec();
        for wanted in wanted.iter().take(if found.len() == wanted.len() {
            found.len()
        } else {
            0
        }) {
            let candidates = if one_partition { 1 } else { left.len() };
            let mut candidates = left[..candidates].iter();
            match candidates.position(|found| wanted.is(found.value.as_deref())) {
                Some(at) => drop(left.remove(at)),
                None => {
                    let found = left[0].value.as_deref().map(String::from_utf8_lossy);
                    let detail = format!("value {found:?}, expected {wanted:?}");
                    return faults.push(self.fault(Kind::Wrong, place, detail));
                }
            }
        }
    }
}

/// A group is at the end where no record is left to it: marks of transactions may be.
fn check_offsets(input: &Input, faults: &mut Vec<Fault>) {
    for (&partition, &end) in &input.ends {
        let records = input.records.iter().filter(|at| at.partition == partition);
        let last = records.map(|record| record.offset).max();
        let committed = input.committed.get(&partition).copied();
        let right = match committed {
            Some(committed) => (last.map_or(0, |last| last + 1)..=end).contains(&committed),
            None => last.is_none(),
        };
        if !right {
            faults.push(Fault {
                kind: Kind::Committed,
                source: Place::new(&input.topic, partition, end),
                found_in: "the group's offsets".into(),
                detail: format!("{committed:?}, expected {end}"),
            });
        }
    }
}
