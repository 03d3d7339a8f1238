//! The options of a topic's table that are Lexstream's own; all others are librdkafka's.

/// One option of OPTIONS.
#[derive(Debug, Clone, Copy)]
pub struct OwnOption {
    /// Its key.
    pub name: &'static str,
    /// What holds where it is left out.
    pub default: &'static str,
    /// What it does, with its unit.
    pub description: &'static str,
}

/// The option that every format has.
const TOMBSTONES: &str = "tombstones";

/// Tells whether an option is one of these formats': it begins with the format's name and a dot.
pub(crate) fn is_of_format(key: &str, formats: &[&str]) -> bool {
    let begins = |format: &&str| {
        let rest = key.strip_prefix(format);
        rest.is_some_and(|rest| rest.starts_with('.'))
    };
    key == TOMBSTONES || formats.iter().any(begins)
}

/// Lexstream's own options, alphabetical; those of formats are the formats'.
pub const OPTIONS: &[OwnOption] = &[
    OwnOption {
        name: "errors.deadletterqueue.context.headers.enable",
        default: "true",
        description: "Whether a dead letter has the headers `__connect.errors.…`, which say what is wrong with it. Kafka Connect's default is `false`.",
    },
    OwnOption {
        name: "errors.deadletterqueue.max.rate",
        default: "",
        description: "The share of messages, above 0 and at most 1, beyond which dead letters stop the stream; none where it is left out.",
    },
    OwnOption {
        name: "errors.deadletterqueue.topic.name",
        default: "",
        description: "The topic that messages go to which can't be read or fail; it implies `errors.tolerance` = `all`.",
    },
    OwnOption {
        name: "errors.retry.delay.max.ms",
        default: "60000",
        description: "The longest pause between two attempts, in milliseconds.",
    },
    OwnOption {
        name: "errors.retry.timeout",
        default: "0",
        description: "How long a failure that may pass is tried again, in milliseconds; -1 is for ever, 0 never.",
    },
    OwnOption {
        name: "errors.tolerance",
        default: "none",
        description: "`none`: a message that can't be read, or fails in a stream, ends the query or the stream. `all`: it goes to the dead-letter topic, or is left out where there is none.",
    },
    OwnOption {
        name: "format",
        default: "",
        description: "How values are read and written; one of the formats. It may be left out where every column is a special one.",
    },
    OwnOption {
        name: "start",
        default: "earliest",
        description: "Where a stream reads a partition from that its group has no offset of: `earliest`, `latest`, `timestamp` (of `start.timestamp`) or `offsets` (of `start.offsets`). Left out, `auto.offset.reset` says.",
    },
    OwnOption {
        name: "start.offsets",
        default: "",
        description: "Offsets by partition, such as `0:42,1:300`; it implies `start` = `offsets`. Partitions that are not named are read from their beginning.",
    },
    OwnOption {
        name: "start.timestamp",
        default: "",
        description: "A time such as `2026-03-01T12:00:00Z`, or milliseconds since 1970; it implies `start` = `timestamp`.",
    },
    OwnOption {
        name: "topic.pattern",
        default: "",
        description: "A regular expression that the names of topics begin with; it stands in place of the location's topic.",
    },
    OwnOption {
        name: "transactional.id.prefix",
        default: "lexstream",
        description: "What the `transactional.id` of every producer begins with.",
    },
];

/// An option of librdkafka that can't be set, or not to just any value.
pub(crate) struct Refused {
    pub name: &'static str,
    /// The only value that it may have, where there is one.
    pub except: Option<&'static str>,
    pub reason: &'static str,
}

const BROKERS: &str = "LOCATION names the brokers";
const OFFSETS: &str = "a stream commits offsets in the transaction of what it writes";

pub(crate) const REFUSED: &[Refused] = &[
    Refused {
        name: "auto.commit.enable",
        except: Some("false"),
        reason: OFFSETS,
    },
    Refused {
        name: "bootstrap.servers",
        except: None,
        reason: BROKERS,
    },
    Refused {
        name: "delivery.report.only.error",
        except: Some("false"),
        reason: "every delivery is waited for",
    },
    Refused {
        name: "enable.auto.commit",
        except: Some("false"),
        reason: OFFSETS,
    },
    Refused {
        name: "enable.auto.offset.store",
        except: Some("false"),
        reason: OFFSETS,
    },
    Refused {
        name: "enable.idempotence",
        except: Some("true"),
        reason: "a transaction needs it",
    },
    Refused {
        name: "enable.partition.eof",
        except: None,
        reason: "it is set where the end of a partition matters",
    },
    Refused {
        name: "metadata.broker.list",
        except: None,
        reason: BROKERS,
    },
    Refused {
        name: "offset.store.method",
        except: Some("broker"),
        reason: OFFSETS,
    },
    Refused {
        name: "transactional.id",
        except: None,
        reason: "every producer needs its own; `transactional.id.prefix` says what it begins with",
    },
];

/// Returns the options of librdkafka that can't be set, the only value that each may have, and why.
pub fn refused() -> impl Iterator<Item = (&'static str, Option<&'static str>, &'static str)> {
    let refused = REFUSED.iter();
    refused.map(|refused| (refused.name, refused.except, refused.reason))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_alphabetical() {
        assert!(OPTIONS.is_sorted_by_key(|option| option.name));
        assert!(REFUSED.is_sorted_by_key(|option| option.name));
    }
}
