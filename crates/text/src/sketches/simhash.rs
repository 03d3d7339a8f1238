//! SimHash: a 64-bit fingerprint of a list of tokens.

use crate::hashes::xxh64;

/// Returns the SimHash of a list of tokens (Charikar 2002): bit i is 1 where more tokens than not have it in their XXH64
/// with seed 0; a token counts as often as it stands there.
///
/// Lists that are alike differ in few bits. The number of no tokens is 0.
pub fn simhash<'a>(tokens: impl Iterator<Item = &'a str>) -> i64 {
    let mut ones = [0_u32; 64];
    let mut count = 0;
    for token in tokens {
        let hash = xxh64(token.as_bytes(), 0);
        for (bit, ones) in ones.iter_mut().enumerate() {
            *ones += (hash >> bit) as u32 & 1;
        }
        count += 1;
    }
    let bits = ones.iter().enumerate();
    bits.fold(0_u64, |bits, (bit, ones)| {
        bits | u64::from(2 * u64::from(*ones) > count) << bit
    }) as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(tokens: &[&str], expected: u64) {
        assert_eq!(
            simhash(tokens.iter().copied()) as u64,
            expected,
            "{tokens:?}"
        );
    }

    #[test]
    fn the_majority_of_each_bit_wins() {
        let [a, b, c] = ["a", "b", "c"].map(|token| xxh64(token.as_bytes(), 0));
        check(&["a"], a);
        check(&["a", "b"], a & b);
        check(&["a", "b", "c"], a & b | b & c | a & c);
        check(&["b", "a", "b"], b);
    }

    #[test]
    fn no_token_is_zero() {
        check(&[], 0);
    }
}
