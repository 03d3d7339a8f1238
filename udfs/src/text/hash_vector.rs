//! Vectors of hashed tokens.

use std::num::NonZeroU32;

use super::hashes::murmur3_32;

/// Writes the vector of a list of tokens, as scikit-learn's `HashingVectorizer(norm=None)` makes it, into `vector`: places
/// from 0 and their values, by place.
///
/// A token with the hash h (MurmurHash3 x86_32, seed 0, signed) adds the sign of h at |h| mod `dimension` (Weinberger et
/// al. 2009). What cancels out is left out.
pub fn hash_vector<'a>(
    tokens: impl Iterator<Item = &'a str>,
    dimension: NonZeroU32,
    vector: &mut Vec<(u32, f32)>,
) {
    vector.clear();
    vector.extend(tokens.map(|token| {
        let hash = murmur3_32(token.as_bytes(), 0);
        let sign = if hash < 0 { -1.0 } else { 1.0 };
        (hash.unsigned_abs() % dimension, sign)
    }));
    vector.sort_unstable_by_key(|(place, _)| *place);
    vector.dedup_by(|(place, value), (before, sum)| {
        let same = place == before;
        if same {
            *sum += *value;
        }
        same
    });
    vector.retain(|(_, value)| *value != 0.0);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(tokens: &[&str], dimension: u32, expected: &[(u32, f32)]) {
        let mut vector = Vec::new();
        let dimension = NonZeroU32::new(dimension).expect("at least 1");
        hash_vector(tokens.iter().copied(), dimension, &mut vector);
        assert_eq!(vector, expected, "{tokens:?}");
    }

    #[test]
    fn a_token_adds_its_sign_at_its_place() {
        // murmur3_32("foo") = -156908512, and 156908512 mod 1000 = 512.
        check(&["foo", "foo"], 1000, &[(512, -2.0)]);
        check(&[], 1000, &[]);
    }

    #[test]
    fn what_cancels_out_is_left_out() {
        // The hash of "foo" is negative, that of the empty text 0.
        check(&["foo", ""], 1, &[]);
    }
}
