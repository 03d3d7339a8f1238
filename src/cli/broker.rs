//! `lexstream broker`: a broker in memory, to try streams with nothing installed.

use std::io::{self, Write};
use std::num::NonZeroU16;

use tokio::runtime::Builder;

use super::failure::Failure;
use super::signal::signal;
use lexstream_kafka::{EmbeddedBroker, LIMITS, PARTITIONS};

/// Arguments of `lexstream broker`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Topics to begin with, separated by commas, of 4 partitions unless said; others come to be when a client asks for them
    #[arg(long, value_name = "NAME[:PARTITIONS],…", value_delimiter = ',', value_parser = topic)]
    topics: Vec<Topic>,
    /// Brokers that share the partitions
    #[arg(long, value_name = "N", default_value = "1", value_parser = brokers)]
    brokers: NonZeroU16,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Topic {
    name: String,
    partitions: NonZeroU16,
}

/// Prints the address, and runs until it is asked to end, which is its way to succeed.
pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let broker = EmbeddedBroker::start(arguments.brokers)?;
    for Topic { name, partitions } in &arguments.topics {
        broker.create_topic(name, *partitions)?;
    }
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let ended = tokio::spawn(signal());
        // Whoever has read the address may send a signal: the handlers are there first.
        tokio::task::yield_now().await;
        eprintln!("{LIMITS}");
        let mut out = io::stdout().lock();
        writeln!(out, "{}", broker.address())?;
        out.flush()?;
        drop(out);
        // It is never cancelled, and does not panic.
        let _ = ended.await;
        Ok(())
    })
}

fn topic(text: &str) -> Result<Topic, String> {
    let (name, partitions) = text.split_once(':').unwrap_or((text, ""));
    let legal = |character: char| character.is_ascii_alphanumeric() || "._-".contains(character);
    if name.is_empty()
        || name.len() > 249
        || !name.chars().all(legal)
        || name == "."
        || name == ".."
    {
        return Err(
            "expected a topic's name: 1 to 249 letters, digits, dots, underscores, hyphens"
                .to_owned(),
        );
    }
    let partitions = if text.contains(':') {
        partitions.parse().ok()
    } else {
        NonZeroU16::new(PARTITIONS)
    };
    let partitions = partitions.filter(|partitions| partitions.get() <= MOST);
    Ok(Topic {
        name: name.to_owned(),
        partitions: partitions.ok_or_else(|| {
            format!("expected NAME:PARTITIONS, such as reviews:3, with 1 to {MOST} partitions")
        })?,
    })
}

/// Each partition and each broker takes memory and a port from the start.
const MOST: u16 = 1_000;

fn brokers(text: &str) -> Result<NonZeroU16, String> {
    let brokers = text.parse().ok();
    let brokers = brokers.filter(|brokers: &NonZeroU16| brokers.get() <= 100);
    brokers.ok_or_else(|| "expected a number from 1 to 100".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_have_names_and_partitions() {
        let check = |text: &str, expected: Option<(&str, u16)>| {
            let found = topic(text).ok();
            let found = found
                .as_ref()
                .map(|found| (&*found.name, found.partitions.get()));
            assert_eq!(found, expected, "{text}");
        };
        check("reviews", Some(("reviews", 4)));
        check("a.b_c-9:1", Some(("a.b_c-9", 1)));
        for wrong in [
            "", ":3", "a:", "a:0", "a:-1", "a:b", "a:1:2", "a:1001", "a b", "..", "ä",
        ] {
            check(wrong, None);
        }
        assert!(topic(&"a".repeat(250)).is_err());
    }
}
