//! Recent fencing of this process's name, to tell another process of the name from an echo of our own past.

use std::time::{Duration, Instant};

/// More than so many in this time come from another process.
const MOST: usize = 2;
const WINDOW: Duration = Duration::from_secs(120);

/// When this process's name was fenced, of late.
///
/// Kafka fences a name without another process, too: when a join's answer was lost and the join was retried, or when a
/// transaction was open for too long.
#[derive(Debug, Default)]
pub(crate) struct RecentFences(Vec<Instant>);

impl RecentFences {
    /// Counts one; tells whether another process must have the name.
    pub(crate) fn are_of_another(&mut self) -> bool {
        self.0.retain(|at| at.elapsed() < WINDOW);
        self.0.push(Instant::now());
        self.0.len() > MOST
    }

    /// Forgets them, after a success.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_taken_again_and_again_is_another_process() {
        let mut fences = RecentFences::default();
        assert!(!fences.are_of_another() && !fences.are_of_another());
        assert!(fences.are_of_another());
        fences.clear();
        assert!(!fences.are_of_another());
    }
}
