//! Errors of a table's options; no message shows a secret, or the value of a variable.

/// Why a location or an option of a topic's table is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OptionsError {
    /// The location names no brokers or no topic.
    #[error(
        "location `{location}`: expected {expected}, such as kafka://127.0.0.1:9092/reviews; found {found}"
    )]
    Location {
        /// The location, without what stands before an `@`.
        location: String,
        /// What was expected.
        expected: &'static str,
        /// What is there.
        found: String,
    },
    /// Neither Lexstream nor librdkafka has the option.
    #[error("no option `{option}`{meant}")]
    Unknown {
        /// Its key.
        option: String,
        /// The nearest known key, as a question.
        meant: String,
    },
    /// The option would break what tables and streams promise.
    #[error("option `{option}` can't be set: {reason}")]
    Refused {
        /// Its key.
        option: String,
        /// Why.
        reason: &'static str,
    },
    /// The option can't have this value.
    #[error("option `{option}`: expected {expected}, found {found}")]
    Value {
        /// Its key.
        option: String,
        /// What it may be.
        expected: String,
        /// What it is, as far as it may be shown.
        found: String,
    },
    /// librdkafka does not take the value.
    #[error("option `{option}`: {problem}; found {found}")]
    Property {
        /// Its key.
        option: String,
        /// What librdkafka says, or what it would, where that would show a secret.
        problem: String,
        /// What it is, as far as it may be shown.
        found: String,
    },
    /// Two options contradict each other, or one needs another.
    #[error("options `{option}` and `{other}`: {reason}")]
    Together {
        /// One key.
        option: String,
        /// The other.
        other: String,
        /// Why they can't stand so.
        reason: String,
    },
    /// A variable can't be resolved.
    #[error("option `{option}`: `{variable}`: {problem}")]
    Variable {
        /// The option's key.
        option: String,
        /// The variable.
        variable: String,
        /// What is wrong with it.
        problem: String,
    },
}
