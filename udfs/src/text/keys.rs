//! Tokens as numbers: to be compared, counted and sorted without a look at the text.

/// A token, and what stands in memory from its first byte on, which may be more.
#[derive(Debug, Clone, Copy)]
pub struct Placed<'a> {
    /// The token.
    pub text: &'a str,
    /// The bytes of the token and those behind it.
    pub bytes: &'a [u8],
}

/// Bytes of a token that its key holds.
pub const HELD: usize = 15;

/// Returns the first 15 bytes, zeros where there are fewer, and behind them how many there are, 16 where there are more: a
/// number that is ordered as tokens are, and says all of most.
#[inline]
pub fn key(token: Placed<'_>) -> u128 {
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
pub fn is_cut(key: u128) -> bool {
    key & 0xff > HELD as u128
}

/// Returns the token that a key says all of, whose bytes go to `buffer`.
pub fn text_of(key: u128, buffer: &mut [u8; 16]) -> &str {
    *buffer = key.to_be_bytes();
    let length = usize::from(buffer[HELD]);
    std::str::from_utf8(&buffer[..length]).expect("the bytes of a token")
}

#[cfg(test)]
mod tests {
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
            if !is_cut(*key) {
                assert_eq!(text_of(*key, &mut [0; 16]), &longest[..length]);
            }
        }
    }
}
