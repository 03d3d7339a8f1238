//! Fixed-width keys of tokens, by which they are compared, counted and sorted without a look at the text.

use std::cmp::Ordering;

use super::hashes::xxh64;
use super::tokenizers::Span;

/// A token in memory.
#[derive(Debug, Clone, Copy)]
pub struct Placed<'a> {
    /// The bytes of the token and those behind it.
    pub bytes: &'a [u8],
    /// How many of them are the token.
    pub length: usize,
}

impl<'a> Placed<'a> {
    /// Returns the token that lies at a span.
    #[inline]
    pub fn at(bytes: &'a [u8], span: Span) -> Self {
        Self {
            bytes: &bytes[span.start as usize..],
            length: span.range().len(),
        }
    }

    /// Returns the bytes of the token alone.
    #[inline]
    pub fn token(self) -> &'a [u8] {
        &self.bytes[..self.length]
    }
}

/// Bytes of a token that its key holds.
const HELD: usize = 15;

/// Returns the first 15 bytes, zeros where there are fewer, and behind them how many there are, 16 where there are more: a
/// number that is ordered as tokens are, and says all of most.
#[inline]
pub fn key(token: Placed<'_>) -> u128 {
    let length = token.length.min(HELD + 1);
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
pub fn is_cut(key: u128) -> bool {
    key & 0xff > HELD as u128
}

/// Returns the token that a key says all of, whose bytes go to `buffer`.
pub fn text_of(key: u128, buffer: &mut [u8; 16]) -> &str {
    *buffer = key.to_be_bytes();
    let length = usize::from(buffer[HELD]);
    std::str::from_utf8(&buffer[..length]).expect("the bytes of a token")
}

/// A token and its key: compared, ordered and hashed as the token is, by the key where that says all.
#[derive(Debug, Clone, Copy)]
pub struct Keyed<'a> {
    /// What [`key`] returns.
    pub key: u128,
    /// The token.
    pub token: Placed<'a>,
}

impl<'a> Keyed<'a> {
    /// Takes a token.
    #[inline]
    pub fn of(token: Placed<'a>) -> Self {
        Self {
            key: key(token),
            token,
        }
    }

    /// Returns a hash of the token, the same in every process.
    #[inline]
    pub fn hash(self) -> u64 {
        match is_cut(self.key) {
            false => mixed(self.key as u64, (self.key >> 64) as u64),
            true => xxh64(self.token.token(), 0),
        }
    }
}

impl PartialEq for Keyed<'_> {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key && (!is_cut(self.key) || self.token.token() == other.token.token())
    }
}

impl Eq for Keyed<'_> {}

impl PartialOrd for Keyed<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Keyed<'_> {
    #[inline]
    fn cmp(&self, other: &Self) -> Ordering {
        match self.key.cmp(&other.key) {
            Ordering::Equal if is_cut(self.key) => self.token.token().cmp(other.token.token()),
            order => order,
        }
    }
}

/// Mixes two numbers: the halves of their product, each with digits of π first (as wyhash does), then by Fibonacci hashing.
#[inline]
pub fn mixed(a: u64, b: u64) -> u64 {
    let product = u128::from(a ^ 0x243f_6a88_85a3_08d3) * u128::from(b ^ 0x1319_8a2e_0370_7345);
    let folded = (product as u64) ^ (product >> 64) as u64;
    // Sketches and tables look at the highest and at the lowest bits.
    (folded ^ folded >> 32).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn placed(text: &str) -> Placed<'_> {
        Placed::at(text.as_bytes(), Span::new(0, text.len()))
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
            let among_others = Placed::at(longest.as_bytes(), Span::new(0, length));
            assert_eq!(super::key(among_others), *key, "{length}");
            if !is_cut(*key) {
                assert_eq!(text_of(*key, &mut [0; 16]), &longest[..length]);
            }
        }
    }
}
