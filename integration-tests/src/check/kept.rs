//! What a record keeps of the one it comes from.

use super::SOURCE;
use crate::kafka::Record;

/// Headers that say why a dead letter is one.
const REASON: [&str; 3] = [
    "__connect.errors.stage",
    "__connect.errors.exception.class.name",
    "__connect.errors.exception.message",
];

/// Returns what an output lacks of its source's key, timestamp and headers, before which nothing else stands.
pub(super) fn lost_of(source: &Record, found: &Record) -> Option<String> {
    if found.key != source.key {
        return Some(differ("key", &found.key, &source.key));
    }
    if found.timestamp != source.timestamp {
        return Some(differ("timestamp", &found.timestamp, &source.timestamp));
    }
    let whole = found.headers.starts_with(&source.headers)
        && found.headers.len() == source.headers.len() + SOURCE.len();
    (!whole).then(|| differ("headers", &found.headers, &source.headers))
}

/// Returns what a dead letter lacks of its source's bytes, or of a reason.
pub(super) fn lost_of_dead(source: &Record, found: &Record) -> Option<String> {
    if found.value != source.value {
        return Some(differ("value", &found.value, &source.value));
    }
    if found.key != source.key {
        return Some(differ("key", &found.key, &source.key));
    }
    if !found.headers.starts_with(&source.headers) {
        return Some(differ("headers", &found.headers, &source.headers));
    }
    let reason = REASON
        .into_iter()
        .find(|key| found.header(key).is_none_or(str::is_empty));
    reason.map(|key| format!("no header `{key}`"))
}

fn differ<T: std::fmt::Debug>(what: &str, found: &T, source: &T) -> String {
    format!("{what} {found:?}, its source has {source:?}")
}
