//! Feature hashing: sparse vectors of tokens without a vocabulary.

use std::num::NonZeroI32;

use super::hashes::murmur3_32;
use super::keys::Placed;

/// Makes vectors of lists of tokens, as scikit-learn's `HashingVectorizer(norm=None)` makes them.
///
/// A token with the hash h (MurmurHash3 x86_32, seed 0, signed) adds the sign of h at |h| mod `dimension` (Weinberger et
/// al. 2009). What cancels out is left out.
#[derive(Debug)]
pub struct HashedVector {
    dimension: NonZeroI32,
    /// Below each place a bit that says whether it is taken away from: numbers have the fastest of Rust's sorts.
    places: Vec<u32>,
}

impl HashedVector {
    /// Makes vectors of so many components; a negative number counts as a positive one.
    pub fn new(dimension: NonZeroI32) -> Self {
        Self {
            dimension,
            places: Vec::new(),
        }
    }

    /// Returns the places and values of a list's vector, by place.
    pub fn of<'a>(
        &mut self,
        tokens: impl Iterator<Item = Placed<'a>>,
    ) -> impl Iterator<Item = (u32, f32)> {
        let dimension = self.dimension.unsigned_abs().get();
        self.places.clear();
        if dimension.is_power_of_two() {
            // A division for each token would take as long as its hash.
            self.places
                .extend(tokens.map(|token| signed(token, |hash| hash & (dimension - 1))));
        } else {
            self.places
                .extend(tokens.map(|token| signed(token, |hash| hash % dimension)));
        }
        self.places.sort_unstable();
        let alike = self.places.chunk_by(|one, other| one ^ other <= 1);
        alike.filter_map(|run| {
            let minus = run.iter().map(|place| place & 1).sum::<u32>();
            let sum = run.len() as i64 - 2 * i64::from(minus);
            (sum != 0).then_some((run[0] >> 1, sum as f32))
        })
    }
}

/// Returns the place of a token, and below it whether its sign is minus.
#[inline]
fn signed(token: Placed<'_>, place: impl Fn(u32) -> u32) -> u32 {
    let hash = murmur3_32(token, 0);
    place(hash.unsigned_abs()) << 1 | u32::from(hash < 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(tokens: &[&str], dimension: i32, expected: &[(u32, f32)]) {
        let placed = tokens.iter().map(|token| Placed {
            bytes: token.as_bytes(),
            length: token.len(),
        });
        let mut vector = HashedVector::new(NonZeroI32::new(dimension).expect("at least 1"));
        let found: Vec<_> = vector.of(placed).collect();
        assert_eq!(found, expected, "{tokens:?}");
    }

    #[test]
    fn a_token_adds_its_sign_at_its_place() {
        // murmur3_32("foo") = -156908512, and 156908512 mod 1000 = 512.
        check(&["foo", "foo"], 1000, &[(512, -2.0)]);
        check(&["foo", "foo"], 1 << 10, &[(156_908_512 % 1024, -2.0)]);
        let most = i32::MAX;
        check(&["foo", "foo", "foo"], most, &[(156_908_512, -3.0)]);
        check(&[], 1000, &[]);
    }

    #[test]
    fn what_cancels_out_is_left_out() {
        // The hash of "foo" is negative, that of the empty text 0.
        check(&["foo", ""], 1, &[]);
    }
}
