//! Checks outputs against the inputs that they come from: each once, with its key, timestamp, headers and value.

use std::collections::BTreeMap;

use rdkafka::message::{BorrowedMessage, Header, Headers, Message, OwnedMessage};
use serde_json::Value;

use super::client::Failure;
use super::score;
use super::span::read_all;

type Headed = Vec<(String, Option<Vec<u8>>)>;

/// Checks that `to` holds what `copy` or `score` makes of each message of `from`; returns how many.
pub(crate) fn check(brokers: &str, kind: &str, from: &str, to: &str) -> Result<String, Failure> {
    let expected_value: fn(&OwnedMessage) -> Result<Vec<u8>, Failure> = match kind {
        "copy" => |input| Ok(input.payload().unwrap_or_default().to_vec()),
        "score" => |input| {
            let mut output = Vec::new();
            score::write(input.payload().unwrap_or_default(), &mut output)?;
            Ok(output)
        },
        _ => return Err(format!("expected copy or score, found {kind}").into()),
    };
    let is_same: fn(&[u8], &[u8]) -> Result<bool, Failure> = match kind {
        "copy" => |one, other| Ok(one == other),
        // Fields may come in any order.
        _ => |one, other| {
            let [one, other]: [Value; 2] =
                [serde_json::from_slice(one)?, serde_json::from_slice(other)?];
            Ok(one == other)
        },
    };
    let mut inputs = BTreeMap::new();
    read_all(brokers, from, |message| {
        inputs.insert((message.partition(), message.offset()), message.detach());
        Ok(())
    })?;
    let count = inputs.len();
    read_all(brokers, to, |output| {
        let place = source(output)?;
        let input = inputs
            .remove(&place)
            .ok_or_else(|| format!("{place:?} has a second output, or was never there"))?;
        let mut headers = headers(input.headers());
        for (key, value) in [
            ("lexstream.source.topic", from.to_owned()),
            ("lexstream.source.partition", place.0.to_string()),
            ("lexstream.source.offset", place.1.to_string()),
        ] {
            headers.push((key.to_owned(), Some(value.into_bytes())));
        }
        let value = expected_value(&input)?;
        let is_right = output.key() == input.key()
            && output.timestamp().to_millis() == input.timestamp().to_millis()
            && self::headers(output.headers()) == headers
            && is_same(output.payload().unwrap_or_default(), &value)?;
        match is_right {
            true => Ok(()),
            false => Err(format!(
                "{place:?}: expected {:?} under {:?}, found {output:?}",
                String::from_utf8_lossy(&value),
                input.key().map(String::from_utf8_lossy)
            )
            .into()),
        }
    })?;
    match inputs.first_key_value() {
        None => Ok(format!("{count}\n")),
        Some((place, _)) => Err(format!(
            "{} outputs are missing, the first of {place:?}",
            inputs.len()
        )
        .into()),
    }
}

fn source(output: &BorrowedMessage<'_>) -> Result<(i32, i64), Failure> {
    let headers = output.headers().ok_or("an output without headers")?;
    let value = |wanted: &str| {
        let found: Option<Header<'_, &[u8]>> = headers.iter().find(|header| header.key == wanted);
        let value = found.and_then(|header| header.value).ok_or("no header")?;
        Ok::<_, Failure>(std::str::from_utf8(value)?.to_owned())
    };
    let partition = value("lexstream.source.partition")?.parse()?;
    Ok((partition, value("lexstream.source.offset")?.parse()?))
}

fn headers<H: Headers>(headers: Option<&H>) -> Headed {
    let headers = headers.into_iter().flat_map(Headers::iter);
    headers
        .map(|header| (header.key.to_owned(), header.value.map(Vec::from)))
        .collect()
}
