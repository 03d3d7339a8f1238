//! A list of tokens without its order.

use std::cmp::Ordering;

/// Calls `each` with every distinct token and how often it stands in the list, in byte order.
///
/// `keys` is a buffer; what it held is lost.
pub fn for_each_count<'a>(
    tokens: impl Iterator<Item = &'a str>,
    keys: &mut Vec<(u128, &'a str)>,
    mut each: impl FnMut(&'a str, i64),
) {
    keys.clear();
    keys.extend(tokens.map(|token| (key(token.as_bytes()), token)));
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
fn key(token: &[u8]) -> u128 {
    let bytes = match (token.first_chunk::<8>(), token.last_chunk::<8>()) {
        (Some(first), Some(last)) if token.len() <= HELD => {
            // What the last eight have in common with the first is shifted out.
            let behind = u64::from_be_bytes(*last) << (8 * (16 - token.len()));
            u128::from(u64::from_be_bytes(*first)) << 64 | u128::from(behind)
        }
        (Some(_), Some(_)) => {
            let first = token.first_chunk::<16>();
            first.map_or(0, |first| u128::from_be_bytes(*first)) & !0xff
        }
        _ => {
            let bytes = match (token.first_chunk::<4>(), token.last_chunk::<4>()) {
                (Some(first), Some(last)) => {
                    let behind = u64::from(u32::from_be_bytes(*last)) << (8 * (8 - token.len()));
                    u64::from(u32::from_be_bytes(*first)) << 32 | behind & 0xffff_ffff
                }
                _ => {
                    let byte = |at: usize| u64::from(token.get(at).copied().unwrap_or(0));
                    byte(0) << 56 | byte(1) << 48 | byte(2) << 40
                }
            };
            u128::from(bytes) << 64
        }
    };
    bytes | token.len().min(HELD + 1) as u128
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

    #[test]
    fn keys_are_ordered_as_tokens_are_and_say_how_long_they_are() {
        let longest = "abcdefghijklmnopqrst";
        let ends = 0..=longest.len();
        let keys: Vec<_> = ends.map(|end| key(&longest.as_bytes()[..end])).collect();
        for (length, key) in keys.iter().enumerate() {
            let mut expected = [0; 16];
            let held = length.min(HELD);
            expected[..held].copy_from_slice(&longest.as_bytes()[..held]);
            expected[HELD] = length.min(HELD + 1) as u8;
            assert_eq!(*key, u128::from_be_bytes(expected), "{length}");
            assert_eq!(is_cut(*key), length > HELD);
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
            for_each_count(tokens.iter().map(String::as_str), &mut Vec::new(), |token, count| found.push((token, count)));
            prop_assert_eq!(found, expected.into_iter().collect::<Vec<_>>());
        }
    }
}
