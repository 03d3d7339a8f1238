//! How often each term occurs.

use hashbrown::HashMap;

/// Counts of terms; what was added can be taken away again, so it serves sliding windows too.
#[derive(Debug, Default, Clone)]
pub struct TermCounts {
    counts: HashMap<Box<str>, i64>,
    /// Bytes of all keys, so that [`TermCounts::size`] need not walk them.
    key_bytes: usize,
}

impl TermCounts {
    /// Adds `count` occurrences of a term.
    pub fn add(&mut self, term: &str, count: i64) {
        match self.counts.get_mut(term) {
            Some(known) => *known += count,
            None => {
                self.key_bytes += term.len();
                self.counts.insert(term.into(), count);
            }
        }
    }

    /// Takes away `count` occurrences of a term; a term with none left is forgotten.
    pub fn remove(&mut self, term: &str, count: i64) {
        let Some(known) = self.counts.get_mut(term) else {
            return;
        };
        *known -= count;
        if *known <= 0 {
            self.counts.remove(term);
            self.key_bytes -= term.len();
        }
    }

    /// Returns the terms and their counts, most frequent first, ties by term in byte order.
    pub fn most_frequent(&self) -> Vec<(&str, i64)> {
        let mut terms: Vec<_> = self
            .counts
            .iter()
            .map(|(term, count)| (&**term, *count))
            .collect();
        terms.sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
        terms
    }

    /// Returns the terms and their counts in no order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, i64)> {
        self.counts.iter().map(|(term, count)| (&**term, *count))
    }

    /// Returns the bytes it takes.
    pub fn size(&self) -> usize {
        size_of::<Self>() + self.counts.allocation_size() + self.key_bytes
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ties_are_broken_by_term() {
        let mut counts = TermCounts::default();
        for term in ["b", "a", "c", "c"] {
            counts.add(term, 1);
        }
        assert_eq!(counts.most_frequent(), [("c", 2), ("a", 1), ("b", 1)]);
    }

    proptest! {
        #[test]
        fn what_is_removed_was_never_there(kept in prop::collection::vec("[a-d]", 0..20), gone in prop::collection::vec("[a-f]", 0..20)) {
            let mut counts = TermCounts::default();
            let mut expected = TermCounts::default();
            for term in kept.iter().chain(&gone) {
                counts.add(term, 1);
            }
            for term in &gone {
                counts.remove(term, 1);
            }
            for term in &kept {
                expected.add(term, 1);
            }
            prop_assert_eq!(counts.most_frequent(), expected.most_frequent());
            prop_assert_eq!(counts.key_bytes, expected.key_bytes);
        }
    }
}
