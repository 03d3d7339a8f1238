//! How often a name has been taken by another, lately.

use std::time::{Duration, Instant};

/// More than as many times in this time is another process, and no echo of our own past.
const MOST: usize = 2;
const SPAN: Duration = Duration::from_secs(120);

/// How often a name has been taken, lately.
///
/// Kafka says that another has taken a name where there is none, too: when a join's answer was lost and the join was made
/// again, or when a transaction was open for too long.
#[derive(Debug, Default)]
pub(super) struct Fences(Vec<Instant>);

impl Fences {
    /// Counts one; tells whether there is another process of the name, as far as can be told.
    pub(super) fn are_of_another(&mut self) -> bool {
        self.0.retain(|at| at.elapsed() < SPAN);
        self.0.push(Instant::now());
        self.0.len() > MOST
    }

    /// Forgets those that have been got over.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_taken_again_and_again_is_another_process() {
        let mut fences = Fences::default();
        assert!(!fences.are_of_another() && !fences.are_of_another());
        assert!(fences.are_of_another());
        fences.clear();
        assert!(!fences.are_of_another());
    }
}
