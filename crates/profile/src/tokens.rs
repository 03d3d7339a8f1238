//! Tokens with hashes, so that counting them touches no text.

use std::ops::Range;

use lexstream_text::keys::{Keyed, Placed, is_cut, mixed};

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
        let token = Keyed::of(Placed {
            bytes: &text.as_bytes()[at.start..],
            length: at.len(),
        });
        Self {
            text: &text[at],
            short: (!is_cut(token.key)).then_some(token.key),
            hash: token.hash(),
        }
    }
}

/// Returns a hash of tokens in their order by theirs.
pub(super) fn hash_of_run(hashes: &[u64]) -> u64 {
    hashes
        .iter()
        .fold(0, |before: u64, hash| mixed(before.rotate_left(23), *hash))
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
