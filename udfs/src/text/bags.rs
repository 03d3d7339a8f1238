//! A list of tokens without its order.

use std::cmp::Ordering;

/// A token, and what stands in memory from its first byte on, which may be more.
#[derive(Debug, Clone, Copy)]
pub struct Placed<'a> {
    /// The token.
    pub text: &'a str,
    /// The bytes of the token and those behind it.
    pub bytes: &'a [u8],
}

/// Calls `each` with every distinct token and how often it stands in the list, in byte order.
///
/// `keys` is a buffer; what it held is lost.
pub fn for_each_count<'a>(
    tokens: impl Iterator<Item = Placed<'a>>,
    keys: &mut Vec<(u128, &'a str)>,
    mut each: impl FnMut(&'a str, i64),
) {
    keys.clear();
    keys.extend(tokens.map(|token| (key(token), token.text)));
    keys.sort_unstable_by(|a, b| match a.0.cmp(&b.0) {
        Ordering::Equal if is_cut(a.0) => a.1.cmp(b.1),
        order => order,
    });
    for equal in keys.chunk_by(|a, b| a.0 == b.0 && (!is_cut(a.0) || a.1 == b.1)) {
        each(equal[0].1, equal.len() as i64);
    }
}

/// Bytes of a token that its key holds.
const HELD: usize = 15;

/// Returns the first 15 bytes, zeros where there are fewer, and behind them how many there are, 16 where there are more: a
/// number that is ordered as tokens are, and says all of most.
#[inline]
fn key(token: Placed<'_>) -> u128 {
    let length = token.text.len().min(HELD + 1);
    let bytes = match token.bytes.first_chunk::<16>() {
        Some(bytes) => u128::from_be_bytes(*bytes),
        None => {
            let mut bytes = [0; 16];
            bytes[..token.bytes.len()].copy_from_slice(token.bytes);
            u128::from_be_bytes(bytes)
        }
    };
    // What lies behind the token is cut off.
    bytes & !(u128::MAX >> (8 * length.min(HELD))) | length as u128
}

/// Tells whether a token is longer than its key.
#[inline]
fn is_cut(key: u128) -> bool {
    key & 0xff > HELD as u128
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn placed(text: &str) -> Placed<'_> {
        Placed {
            text,
            bytes: text.as_bytes(),
        }
    }

    #[test]
    fn keys_are_ordered_as_tokens_are_and_say_how_long_they_are() {
        let longest = "abcdefghijklmnopqrst";
        let ends = 0..=longest.len();
        let keys: Vec<_> = ends.map(|end| key(placed(&longest[..end]))).collect();
        for (length, key) in keys.iter().enumerate() {
            let mut expected = [0; 16];
            let held = length.min(HELD);
            expected[..held].copy_from_slice(&longest.as_bytes()[..held]);
            expected[HELD] = length.min(HELD + 1) as u8;
            assert_eq!(*key, u128::from_be_bytes(expected), "{length}");
            assert_eq!(is_cut(*key), length > HELD);
            let among_others = Placed {
                text: &longest[..length],
                bytes: longest.as_bytes(),
            };
            assert_eq!(super::key(among_others), *key, "{length}");
        }
    }

    proptest! {
        #[test]
        fn counts_are_those_of_an_ordered_map(tokens in prop::collection::vec("[ab\\x00é]{0,20}", 0..40)) {
            let mut expected = BTreeMap::new();
            for token in &tokens {
                *expected.entry(token.as_str()).or_insert(0) += 1;
            }
            let mut found = Vec::new();
            for_each_count(tokens.iter().map(|token| placed(token)), &mut Vec::new(), |token, count| found.push((token, count)));
            prop_assert_eq!(found, expected.into_iter().collect::<Vec<_>>());
        }
    }
}
