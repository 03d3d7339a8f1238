//! Bigram counts over lists of tokens, and their pointwise mutual information.

use std::fmt::Write;

use super::tfidf::DocumentCounts;

/// Counts of tokens and of bigrams over lists, retractable and mergeable.
///
/// It holds one entry a distinct token and one a distinct bigram, not the lists. A bigram lies within a list.
#[derive(Debug, Default, Clone)]
pub struct BigramCounts {
    tokens: DocumentCounts,
    /// By [`key`].
    bigrams: DocumentCounts,
    /// What a key is written into.
    key: String,
}

/// Two tokens that stand side by side.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Collocation<'a> {
    /// The two tokens.
    pub bigram: (&'a str, &'a str),
    /// How often the second follows the first.
    pub count: u64,
    /// Their pointwise mutual information: log₂(count · N / (count of the first · count of the second)), N all tokens.
    pub pmi: f64,
}

impl BigramCounts {
    /// Adds a list.
    pub fn add<'a>(&mut self, tokens: impl Iterator<Item = &'a str>) {
        self.tokens.begin();
        self.bigrams.begin();
        let mut before = None;
        for token in tokens {
            self.tokens.add(token);
            if let Some(before) = before.replace(token) {
                self.bigrams.add(key(before, token, &mut self.key));
            }
        }
    }

    /// Takes away a list that was added.
    pub fn remove<'a>(&mut self, tokens: impl Iterator<Item = &'a str>) {
        self.tokens.begin_removal();
        self.bigrams.begin_removal();
        let mut before = None;
        for token in tokens {
            self.tokens.remove(token);
            if let Some(before) = before.replace(token) {
                self.bigrams.remove(key(before, token, &mut self.key));
            }
        }
    }

    /// Returns the counts of tokens, and those of bigrams under keys of their own.
    pub fn tables(&self) -> [&DocumentCounts; 2] {
        [&self.tokens, &self.bigrams]
    }

    /// Returns the same, to be merged with those of other lists.
    pub fn tables_mut(&mut self) -> [&mut DocumentCounts; 2] {
        [&mut self.tokens, &mut self.bigrams]
    }

    /// Returns every bigram, highest pointwise mutual information first, equal ones by bigram in byte order.
    ///
    /// Church and Hanks 1990, as NLTK's `BigramAssocMeasures.pmi` has it: a token at the end of a list counts as well.
    pub fn collocations(&self) -> Vec<Collocation<'_>> {
        let all = u128::from(self.tokens.length());
        let mut found: Vec<_> = self
            .bigrams
            .iter()
            .map(|entry| {
                let bigram = pair(entry.term);
                let [first, second] =
                    [bigram.0, bigram.1].map(|token| u128::from(self.tokens.occurrences_of(token)));
                let together = u128::from(entry.occurrences) * all;
                // One quotient, so that ratios that are equal stay equal.
                let pmi = (together as f64 / (first * second) as f64).log2();
                Collocation {
                    bigram,
                    count: entry.occurrences,
                    pmi,
                }
            })
            .collect();
        found.sort_unstable_by(|a, b| {
            b.pmi
                .total_cmp(&a.pmi)
                .then_with(|| a.bigram.cmp(&b.bigram))
        });
        found
    }
}

/// Writes two tokens as one text that no other two have: the first one's length, a space, and both.
fn key<'a>(first: &str, second: &str, out: &'a mut String) -> &'a str {
    out.clear();
    write!(out, "{} {first}{second}", first.len()).expect("a String takes all that is written");
    out
}

/// Returns the two tokens of a key.
fn pair(key: &str) -> (&str, &str) {
    let parts = key.split_once(' ').and_then(|(length, tokens)| {
        let length = length.parse().ok()?;
        tokens.split_at_checked(length)
    });
    parts.expect("`key` has written it")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn counts(lists: &[&str]) -> BigramCounts {
        let mut counts = BigramCounts::default();
        lists.iter().for_each(|list| counts.add(list.split(' ')));
        counts
    }

    fn shown(counts: &BigramCounts) -> Vec<(String, u64, f64)> {
        let found = counts.collocations().into_iter();
        found
            .map(|found| {
                let (first, second) = found.bigram;
                (format!("{first} {second}"), found.count, found.pmi)
            })
            .collect()
    }

    #[test]
    fn information_is_highest_where_tokens_stand_only_together() {
        // N = 6; «or not» 1 · 6 / (1 · 1), «to be» 2 · 6 / (2 · 2), «be or» and «not to» 1 · 6 / (2 · 1).
        let expected = [
            ("or not", 1, 6_f64.log2()),
            ("be or", 1, 3_f64.log2()),
            ("not to", 1, 3_f64.log2()),
            ("to be", 2, 3_f64.log2()),
        ];
        let expected = expected.map(|(bigram, count, pmi)| (bigram.to_owned(), count, pmi));
        assert_eq!(shown(&counts(&["to be or not to be"])), expected);
    }

    #[test]
    fn a_bigram_lies_within_a_list() {
        assert_eq!(shown(&counts(&["a", "b"])), []);
        assert_eq!(
            shown(&counts(&["a b", "b"])),
            [("a b".to_owned(), 1, 1.5_f64.log2())]
        );
    }

    #[test]
    fn tokens_with_spaces_and_digits_make_keys_of_their_own() {
        let mut key_of = String::new();
        for (first, second) in [
            ("a b", "c"),
            ("a", "b c"),
            ("1 a", "2"),
            ("", ""),
            ("漢", "字"),
        ] {
            assert_eq!(pair(key(first, second, &mut key_of)), (first, second));
        }
    }

    proptest! {
        #[test]
        fn what_is_removed_was_never_there(kept in prop::collection::vec("[a-c ]{0,8}", 0..6), gone in prop::collection::vec("[a-c ]{0,8}", 0..6)) {
            let all: Vec<_> = kept.iter().chain(&gone).map(String::as_str).collect();
            let mut found = counts(&all);
            gone.iter().for_each(|list| found.remove(list.split(' ')));
            let kept: Vec<_> = kept.iter().map(String::as_str).collect();
            prop_assert_eq!(shown(&found), shown(&counts(&kept)));
        }
    }
}
