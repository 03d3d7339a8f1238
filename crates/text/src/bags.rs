//! Bag of words: the distinct tokens of a list and their counts.

use super::keys::{Keyed, Placed};
use super::tokenizers::Span;

/// A distinct token of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted {
    /// Where in the list it stands, one of those places.
    pub place: u32,
    /// How often it stands there.
    pub count: u32,
}

/// Counts the tokens of a list; its buffers serve list after list.
#[derive(Debug, Default)]
pub struct Bag {
    /// What each token begins with, above its place in the list: numbers of 8 bytes have the fastest of Rust's sorts.
    prefixes: Vec<u64>,
    counted: Vec<Counted>,
    /// Places of tokens that begin alike.
    alike: Vec<u32>,
}

impl Bag {
    /// Returns every distinct token of a list, in byte order; `spans` are where the list's tokens lie in the bytes.
    pub fn count(&mut self, bytes: &[u8], spans: &[Span]) -> &[Counted] {
        // As few bytes as hold a place, so that the most are left for what tokens begin with.
        let places = spans.len().max(2) - 1;
        let of_place = (u64::BITS - (places as u64).leading_zeros()).next_multiple_of(8);
        let mask = u64::MAX >> (u64::BITS - of_place);
        let held = ((u64::BITS - of_place) / 8) as usize;
        self.prefixes.clear();
        let prefixes = spans.iter().zip(0_u64..);
        let prefixes = prefixes.map(|(span, at)| prefix(bytes, *span) & !mask | at);
        self.prefixes.extend(prefixes);
        self.prefixes.sort_unstable();
        self.counted.clear();
        self.counted.reserve(spans.len());
        let alike = |one: &u64, other: &u64| one ^ other <= mask;
        for run in self.prefixes.chunk_by(alike) {
            let place = |at: &u64| (at & mask) as u32;
            let first = Counted {
                place: place(&run[0]),
                count: run.len() as u32,
            };
            if run.len() == 1 {
                self.counted.push(first);
                continue;
            }
            let token = |at: u32| Keyed::of(Placed::at(bytes, spans[at as usize]));
            let length = |at: u32| spans[at as usize].range().len();
            let others = || run[1..].iter().map(place);
            let all = length(first.place);
            // Where the number has all of the tokens, those of one length are equal.
            let are_equal = if all <= held {
                others().all(|at| length(at) == all)
            } else {
                let key = token(first.place);
                others().all(|at| token(at) == key)
            };
            if are_equal {
                self.counted.push(first);
                continue;
            }
            self.alike.clear();
            self.alike.extend(run.iter().map(place));
            self.alike
                .sort_unstable_by(|one, other| token(*one).cmp(&token(*other)));
            let equal = self
                .alike
                .chunk_by(|one, other| token(*one) == token(*other));
            self.counted.extend(equal.map(|equal| Counted {
                place: equal[0],
                count: equal.len() as u32,
            }));
        }
        &self.counted
    }
}

/// Returns the first 8 bytes of a token, zeros where there are fewer, as a number that is ordered as they are.
#[inline]
fn prefix(bytes: &[u8], span: Span) -> u64 {
    let bytes = &bytes[span.start as usize..];
    let length = span.range().len();
    let number = match bytes.first_chunk() {
        Some(bytes) => u64::from_be_bytes(*bytes),
        None => {
            let mut first = [0; 8];
            first[..bytes.len()].copy_from_slice(bytes);
            u64::from_be_bytes(first)
        }
    };
    // What lies behind the token is cut off.
    let behind = u64::MAX.checked_shr(8 * length.min(8) as u32).unwrap_or(0);
    number & !behind
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
        let text = tokens.concat();
        let mut start = 0;
        let spans: Vec<_> = tokens
            .iter()
            .map(|token| {
                let span = Span::new(start, token.len());
                start += token.len();
                span
            })
            .collect();
        let mut bag = Bag::default();
        let counted = bag.count(text.as_bytes(), &spans).iter();
        let found: Vec<_> = counted
            .map(|found| (&text[spans[found.place as usize].range()], found.count))
            .collect();
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
