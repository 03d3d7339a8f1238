//! What a process under test does otherwise than a stream: it dies at a step, or breaks a rule.

use std::fmt;
use std::str::FromStr;

/// A step of a stream's transactions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Reads where partitions begin.
    Starts,
    /// Begins to read partitions.
    Assign,
    /// Reads on from elsewhere.
    Seek,
    /// Begins a transaction.
    Begin,
    /// Sends a record.
    Send,
    /// Adds offsets to the transaction.
    SendOffsets,
    /// Commits it.
    Commit,
    /// Aborts it.
    Abort,
}

const STEPS: [(Step, &str); 8] = [
    (Step::Starts, "starts"),
    (Step::Assign, "assign"),
    (Step::Seek, "seek"),
    (Step::Begin, "begin"),
    (Step::Send, "send"),
    (Step::SendOffsets, "send_offsets"),
    (Step::Commit, "commit"),
    (Step::Abort, "abort"),
];

/// What a process does otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// Dies by signal 9 before or after a step that comes for the `nth` time.
    Dies {
        /// The step.
        step: Step,
        /// The first is 1.
        nth: u64,
        /// Whether the step is still made.
        after: bool,
    },
    /// Aborts every second transaction, for no reason.
    Aborts,
    /// Takes every abort for failed.
    AbortsInVain,
    /// Stops by a signal before it adds offsets for the third time.
    Sleeps,
    /// Commits offsets apart from the transaction, and dies before it commits the third one.
    OffsetsApart,
    /// Commits the offsets of all that it has read, and dies after a commit, not the first, that is ahead of what is done.
    CommitsPosition,
    /// Aborts the second transaction, does not read again what was in it, and dies when it has committed the third.
    ForgetsToRewind,
    /// Aborts every second transaction, and sends dead letters outside of them.
    DeadLettersApart,
    /// Sleeps, speaks for the group without being a member, and dies when it has committed.
    NoMember,
}

const OTHERS: [(Rule, &str); 8] = [
    (Rule::Aborts, "aborts"),
    (Rule::AbortsInVain, "aborts-in-vain"),
    (Rule::Sleeps, "sleeps"),
    (Rule::OffsetsApart, "offsets-apart"),
    (Rule::CommitsPosition, "commits-position"),
    (Rule::ForgetsToRewind, "forgets-to-rewind"),
    (Rule::DeadLettersApart, "dead-letters-apart"),
    (Rule::NoMember, "no-member"),
];

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Self::Dies { step, nth, after } = self {
            let (_, step) = STEPS
                .iter()
                .find(|(known, _)| known == step)
                .expect("all are in the list");
            let when = if *after { "after" } else { "before" };
            return write!(f, "dies {when} {step} {nth}");
        }
        let (_, name) = OTHERS
            .iter()
            .find(|(known, _)| known == self)
            .expect("all are in the list");
        f.write_str(name)
    }
}

impl FromStr for Rule {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("no rule: {text}");
        if let Some((rule, _)) = OTHERS.iter().find(|(_, name)| *name == text) {
            return Ok(*rule);
        }
        let words: Vec<_> = text.split(' ').collect();
        let ["dies", when, step, nth] = words[..] else {
            return Err(wrong());
        };
        let (step, _) = STEPS
            .iter()
            .find(|(_, name)| *name == step)
            .ok_or_else(wrong)?;
        Ok(Self::Dies {
            step: *step,
            nth: nth.parse().map_err(|_| wrong())?,
            after: when == "after",
        })
    }
}
