//! Document and occurrence counts of terms, mergeable and retractable.

use hashbrown::HashMap;

/// Document frequencies and occurrences of terms, retractable and mergeable, so that they serve fitting, groups and sliding
/// windows.
///
/// It holds one entry a distinct term, not the texts.
#[derive(Debug, Default, Clone)]
pub struct DocumentCounts {
    terms: HashMap<Box<str>, Entry>,
    documents: u64,
    /// Terms of all texts together.
    length: u64,
    /// The text that is under way.
    current: u64,
    /// Bytes of all keys, so that [`DocumentCounts::size`] need not walk them.
    key_bytes: usize,
}

#[derive(Debug, Clone, Copy, Default)]
struct Entry {
    documents: u64,
    occurrences: u64,
    /// The last text that it was seen in.
    seen: u64,
}

/// What is known of a term.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TermCount<'a> {
    /// The term.
    pub term: &'a str,
    /// How many texts have it.
    pub documents: u64,
    /// How often it occurs in all of them.
    pub occurrences: u64,
}

impl DocumentCounts {
    /// Begins a text, whose terms [`DocumentCounts::add`] takes.
    pub fn begin(&mut self) {
        self.documents += 1;
        self.current += 1;
    }

    /// Adds a term of the text that was begun, as often as it occurs there.
    #[inline]
    pub fn add(&mut self, term: &str) {
        self.length += 1;
        let entry = match self.terms.get_mut(term) {
            Some(entry) => entry,
            None => {
                self.key_bytes += term.len();
                self.terms.entry(term.into()).or_default()
            }
        };
        entry.occurrences += 1;
        if entry.seen != self.current {
            entry.seen = self.current;
            entry.documents += 1;
        }
    }

    /// Begins to take away a text that was added, whose terms [`DocumentCounts::remove`] takes.
    pub fn begin_removal(&mut self) {
        self.documents -= 1;
        self.current += 1;
    }

    /// Takes away a term of the text that was begun, as often as it occurs there.
    pub fn remove(&mut self, term: &str) {
        let Some(entry) = self.terms.get_mut(term) else {
            return;
        };
        self.length -= 1;
        entry.occurrences -= 1;
        if entry.seen != self.current {
            entry.seen = self.current;
            entry.documents -= 1;
        }
        if entry.occurrences == 0 {
            self.terms.remove(term);
            self.key_bytes -= term.len();
        }
    }

    /// Adds the counts of other texts.
    pub fn merge(&mut self, other: Self) {
        if self.terms.len() < other.terms.len() {
            let smaller = std::mem::replace(self, other);
            return self.merge(smaller);
        }
        self.documents += other.documents;
        self.length += other.length;
        for (term, entry) in other.terms {
            self.merge_entry(term, entry.documents, entry.occurrences);
        }
    }

    /// Adds a term of other texts; [`DocumentCounts::merge_documents`] says how many those are.
    pub fn merge_term(&mut self, term: &str, documents: u64, occurrences: u64) {
        self.length += occurrences;
        self.merge_entry(term.into(), documents, occurrences);
    }

    /// Says how many other texts the terms of [`DocumentCounts::merge_term`] come from.
    pub fn merge_documents(&mut self, documents: u64) {
        self.documents += documents;
    }

    fn merge_entry(&mut self, term: Box<str>, documents: u64, occurrences: u64) {
        let bytes = term.len();
        let entry = self.terms.entry(term).or_insert_with(|| {
            self.key_bytes += bytes;
            Entry::default()
        });
        entry.documents += documents;
        entry.occurrences += occurrences;
    }

    /// Returns how many texts there are.
    pub fn documents(&self) -> u64 {
        self.documents
    }

    /// Returns how many terms all texts have together.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Returns in how many texts a term occurs.
    pub fn documents_with(&self, term: &str) -> u64 {
        self.terms.get(term).map_or(0, |entry| entry.documents)
    }

    /// Returns how often a term occurs in all texts.
    pub fn occurrences_of(&self, term: &str) -> u64 {
        self.terms.get(term).map_or(0, |entry| entry.occurrences)
    }

    /// Returns what is known of each term, in no order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = TermCount<'_>> {
        self.terms.iter().map(|(term, entry)| TermCount {
            term,
            documents: entry.documents,
            occurrences: entry.occurrences,
        })
    }

    /// Returns the bytes it takes.
    pub fn size(&self) -> usize {
        size_of::<Self>() + self.terms.allocation_size() + self.key_bytes
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn add(counts: &mut DocumentCounts, document: &[String]) {
        counts.begin();
        document.iter().for_each(|term| counts.add(term));
    }

    fn all(counts: &DocumentCounts) -> (u64, u64, usize, Vec<TermCount<'_>>) {
        let mut terms: Vec<_> = counts.iter().collect();
        terms.sort_by_key(|count| count.term);
        (counts.documents, counts.length, counts.key_bytes, terms)
    }

    #[test]
    fn a_term_counts_once_a_text() {
        let mut counts = DocumentCounts::default();
        for document in ["a b a", "a"] {
            counts.begin();
            document.split(' ').for_each(|term| counts.add(term));
        }
        assert_eq!((counts.documents(), counts.length()), (2, 4));
        assert_eq!(
            (counts.documents_with("a"), counts.documents_with("b")),
            (2, 1)
        );
        assert_eq!(counts.documents_with("c"), 0);
    }

    fn documents() -> impl Strategy<Value = Vec<Vec<String>>> {
        prop::collection::vec(prop::collection::vec("[a-d]", 0..6), 0..8)
    }

    proptest! {
        #[test]
        fn what_is_removed_was_never_there_and_parts_make_the_whole(kept in documents(), gone in documents()) {
            let (mut both, mut expected, mut other) = <(DocumentCounts, DocumentCounts, DocumentCounts)>::default();
            kept.iter().chain(&gone).for_each(|document| add(&mut both, document));
            kept.iter().for_each(|document| add(&mut expected, document));
            gone.iter().for_each(|document| add(&mut other, document));
            let mut merged = expected.clone();
            merged.merge(other.clone());
            prop_assert_eq!(all(&merged), all(&both));
            let mut by_terms = expected.clone();
            by_terms.merge_documents(other.documents());
            other.iter().for_each(|count| by_terms.merge_term(count.term, count.documents, count.occurrences));
            prop_assert_eq!(all(&by_terms), all(&both));
            for document in &gone {
                both.begin_removal();
                document.iter().for_each(|term| both.remove(term));
            }
            prop_assert_eq!(all(&both), all(&expected));
        }
    }
}
