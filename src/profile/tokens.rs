//! Tokens with hashes, so that counting them touches no text.

use std::ops::Range;

use lexstream_udfs::text::hashes::xxh64;
use lexstream_udfs::text::keys::{Placed, is_cut, key};

/// A token, and a hash of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Token<'a> {
    pub(super) text: &'a str,
    /// Its key, where that says all of it.
    pub(super) short: Option<u128>,
    pub(super) hash: u64,
}

impl<'a> Token<'a> {
    /// Takes the token that lies in a text.
    pub(super) fn of(text: &'a str, at: Range<usize>) -> Self {
        let bytes = &text.as_bytes()[at.start..];
        let text = &text[at];
        let key = key(Placed { text, bytes });
        let short = (!is_cut(key)).then_some(key);
        Self {
            text,
            short,
            hash: match short {
                Some(short) => mixed(short as u64, (short >> 64) as u64),
                None => xxh64(text.as_bytes(), 0),
            },
        }
    }
}

/// Returns a hash of tokens in their order by theirs.
pub(super) fn hash_of_run(hashes: &[u64]) -> u64 {
    hashes
        .iter()
        .fold(0, |before: u64, hash| mixed(before.rotate_left(23), *hash))
}

/// Mixes two numbers: the halves of their product, each with digits of π first (as wyhash does), then by Fibonacci hashing.
fn mixed(a: u64, b: u64) -> u64 {
    let product = u128::from(a ^ 0x243f_6a88_85a3_08d3) * u128::from(b ^ 0x1319_8a2e_0370_7345);
    let folded = (product as u64) ^ (product >> 64) as u64;
    // Sketches look at the highest and at the lowest bits.
    (folded ^ folded >> 32).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

#[cfg(test)]
mod tests {
    use hashbrown::HashSet;

    use super::*;

    #[test]
    fn a_token_is_its_number_wherever_it_stands() {
        let text = "cat, cat";
        let (first, last) = (Token::of(text, 0..3), Token::of(text, 5..8));
        assert_eq!((first.short, first.hash), (last.short, last.hash));
        assert!(first.short.is_some() && Token::of("straßenbahnen__", 0..16).short.is_none());
        assert_ne!(Token::of("a\0", 0..2).short, Token::of("a\0", 0..1).short);
        assert_eq!(Token::of("", 0..0).short, Some(0));
    }

    #[test]
    fn hashes_differ_where_tokens_or_their_order_do() {
        let texts: Vec<_> = (0..100_000).map(|number| format!("w{number}")).collect();
        let hashes: Vec<_> = texts
            .iter()
            .map(|text| Token::of(text, 0..text.len()).hash)
            .collect();
        let runs = hashes.windows(3).map(hash_of_run);
        let turned = hashes
            .windows(3)
            .map(|run| hash_of_run(&[run[1], run[0], run[2]]));
        let all: Vec<u64> = hashes.iter().copied().chain(runs).chain(turned).collect();
        let distinct: HashSet<_> = all.iter().collect();
        assert_eq!(distinct.len(), all.len());
        // Each bit is set in half of them, but for chance.
        for bit in 0..64 {
            let set = all.iter().filter(|hash| **hash >> bit & 1 == 1).count() as f64;
            let share = set / all.len() as f64;
            assert!((0.49..0.51).contains(&share), "bit {bit}: {share}");
        }
    }
}
