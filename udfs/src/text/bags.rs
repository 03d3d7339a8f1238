//! A list of tokens without its order.

use super::keys::{Keyed, Placed, key};

/// Counts the tokens of a list; its buffers serve list after list.
#[derive(Debug, Default)]
pub struct Bag<'a> {
    tokens: Vec<Placed<'a>>,
    /// What each token begins with, above its place in the list: numbers of 8 bytes have the fastest of Rust's sorts.
    prefixes: Vec<u64>,
    /// Tokens that begin alike.
    alike: Vec<Keyed<'a>>,
}

impl<'a> Bag<'a> {
    /// Calls `each` with every distinct token of a list and how often it stands there, in byte order.
    pub fn for_each_count(
        &mut self,
        list: impl Iterator<Item = Placed<'a>>,
        mut each: impl FnMut(Placed<'a>, i64),
    ) {
        self.tokens.clear();
        self.tokens.extend(list);
        // As few bytes as hold a place, so that the most are left for what tokens begin with.
        let places = self.tokens.len().max(2) - 1;
        let of_place = (u64::BITS - (places as u64).leading_zeros()).next_multiple_of(8);
        let place = u64::MAX >> (u64::BITS - of_place);
        self.prefixes.clear();
        let prefixes = self.tokens.iter().zip(0_u64..);
        self.prefixes
            .extend(prefixes.map(|(token, at)| prefix(*token) & !place | at));
        self.prefixes.sort_unstable();
        let alike = |one: &u64, other: &u64| one >> of_place == other >> of_place;
        for run in self.prefixes.chunk_by(alike) {
            let token = |at: &u64| self.tokens[(at & place) as usize];
            let first = token(&run[0]);
            if run.len() == 1 {
                each(first, 1);
                continue;
            }
            let key = Keyed::of(first);
            if run[1..].iter().all(|at| Keyed::of(token(at)) == key) {
                each(first, run.len() as i64);
                continue;
            }
            self.alike.clear();
            self.alike.extend(run.iter().map(|at| Keyed::of(token(at))));
            self.alike.sort_unstable();
            for equal in self.alike.chunk_by(|one, other| one == other) {
                each(equal[0].token, equal.len() as i64);
            }
        }
    }
}

/// Returns the first 8 bytes of a token, zeros where there are fewer, as a number that is ordered as they are.
#[inline]
fn prefix(token: Placed<'_>) -> u64 {
    (key(token) >> 64) as u64
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn check(tokens: &[String]) {
        let mut expected = BTreeMap::new();
        for token in tokens {
            *expected.entry(token.as_str()).or_insert(0) += 1;
        }
        // As in a column: what lies behind a token is the next one.
        let text = tokens.concat();
        let mut start = 0;
        let placed = tokens.iter().map(|token| {
            let bytes = &text.as_bytes()[start..];
            let text = &text[start..start + token.len()];
            start += token.len();
            Placed { text, bytes }
        });
        let mut found = Vec::new();
        Bag::default().for_each_count(placed, |token, count| found.push((token.text, count)));
        assert_eq!(found, expected.into_iter().collect::<Vec<_>>());
    }

    proptest! {
        #[test]
        fn counts_are_those_of_an_ordered_map(tokens in prop::collection::vec("[ab\\x00é]{0,20}", 0..40)) {
            check(&tokens);
        }
    }

    #[test]
    fn a_list_may_be_long() {
        for length in [255, 256, 257, 70_000_usize] {
            let tokens = (0..length).map(|at| format!("beginning{}", at * 7919 % 300));
            check(&tokens.collect::<Vec<_>>());
        }
    }
}
