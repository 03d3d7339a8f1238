//! MinHash signatures, which estimate the Jaccard similarity of two sets.

use crate::hashes::{mixed_32, split_mix_64, xxh64};

/// Signer of sets of tokens (Broder 1997).
///
/// Number i of a signature is the least of mix(x ⊕ sᵢ) over the tokens, as unsigned numbers of 32 bits: x is the low half
/// of the token's XXH64 with the seed, sᵢ the high half of output i of SplitMix64 from the same seed, mix MurmurHash3's
/// last step of 32 bits. Two sets agree in a number with the probability of their Jaccard similarity. The signature of
/// no tokens is 2³² − 1 throughout.
#[derive(Debug, Clone)]
pub struct MinHash {
    seed: u64,
    /// sᵢ, one for each number of a signature.
    salts: Vec<u32>,
}

impl MinHash {
    /// Returns a signer whose signatures have so many numbers.
    pub fn new(hashes: usize, seed: u64) -> Self {
        let salts = split_mix_64(seed).map(|number| (number >> 32) as u32);
        Self {
            seed,
            salts: salts.take(hashes).collect(),
        }
    }

    /// Writes the signature of a set of tokens, where `signature` has as many numbers as [`MinHash::new`] was told.
    ///
    /// The numbers are the unsigned ones' bits. How often a token stands there does not matter; `hashes` is a buffer.
    pub fn sign<'a>(
        &self,
        tokens: impl Iterator<Item = &'a str>,
        hashes: &mut Vec<u32>,
        signature: &mut [i32],
    ) {
        hashes.clear();
        hashes.extend(tokens.map(|token| xxh64(token.as_bytes(), self.seed) as u32));
        self.sign_hashes(hashes, signature);
    }

    /// Writes the signature of a set of tokens by their hashes, which come out sorted, each once.
    pub fn sign_hashes(&self, hashes: &mut Vec<u32>, signature: &mut [i32]) {
        hashes.sort_unstable();
        hashes.dedup();
        // A few salts at a time stay in registers while all tokens go by.
        const LANES: usize = 8;
        let lanes = self.salts.chunks(LANES).zip(signature.chunks_mut(LANES));
        for (salts, signature) in lanes {
            let mut least = [u32::MAX; LANES];
            let mut padded = [0; LANES];
            padded[..salts.len()].copy_from_slice(salts);
            for hash in &*hashes {
                for lane in 0..LANES {
                    least[lane] = least[lane].min(mixed_32(hash ^ padded[lane]));
                }
            }
            for (number, least) in signature.iter_mut().zip(least) {
                *number = least as i32;
            }
        }
    }
}

/// Returns the share of places in which two signatures of one length agree: an estimate of the sets' Jaccard similarity,
/// with a standard error of at most 1 / (2 √length).
pub fn similarity<T: PartialEq>(a: &[T], b: &[T]) -> f64 {
    let equal = a.iter().zip(b).filter(|(a, b)| a == b).count();
    equal as f64 / a.len() as f64
}

/// Writes a hash of each band of `rows` numbers of a signature: two texts that share one are likely to be alike (Leskovec,
/// Rajaraman, Ullman, «Mining of Massive Datasets», 3.4).
///
/// It is the XXH64 of the numbers, 8 bytes each from the lowest, with the band's place from 0 as the seed: equal numbers
/// in different bands do not meet.
pub fn bands(signature: &[i64], rows: usize, out: &mut Vec<i64>) {
    let mut bytes = Vec::with_capacity(rows * 8);
    for (band, numbers) in signature.chunks_exact(rows).enumerate() {
        bytes.clear();
        bytes.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
        out.push(xxh64(&bytes, band as u64) as i64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signature(tokens: &[String], hashes: usize) -> Vec<i32> {
        let mut signature = vec![0; hashes];
        MinHash::new(hashes, 1).sign(
            tokens.iter().map(String::as_str),
            &mut Vec::new(),
            &mut signature,
        );
        signature
    }

    fn words(range: std::ops::Range<usize>) -> Vec<String> {
        range.map(|number| format!("word{number}")).collect()
    }

    #[test]
    fn a_signature_is_the_formula() {
        let tokens = words(0..20);
        let salts: Vec<_> = split_mix_64(1).take(11).collect();
        for (at, found) in signature(&tokens, 11).iter().enumerate() {
            let numbers = tokens.iter().map(|token| {
                mixed_32(xxh64(token.as_bytes(), 1) as u32 ^ (salts[at] >> 32) as u32)
            });
            assert_eq!(Some(*found as u32), numbers.min(), "{at}");
        }
    }

    #[test]
    fn order_and_number_do_not_matter() {
        let mut tokens = words(0..9);
        let first = signature(&tokens, 16);
        tokens.reverse();
        tokens.extend(words(3..5));
        assert_eq!(signature(&tokens, 16), first);
    }

    #[test]
    fn no_token_has_a_signature() {
        assert_eq!(signature(&[], 3), [-1, -1, -1]);
    }

    #[test]
    fn the_share_of_equal_numbers_is_near_jaccards() {
        // Sets of 100 that share 100 - d: (100 - d) / (100 + d). With 256 numbers, four standard errors at most.
        let mut bias = 0.0;
        for trial in 0..50 {
            for different in [0, 10, 50, 90] {
                let start = trial * 1000;
                let a = signature(&words(start..start + 100), 256);
                let b = signature(&words(start + different..start + different + 100), 256);
                let exact = (100 - different) as f64 / (100 + different) as f64;
                let error = similarity(&a, &b) - exact;
                let bound = 4.0 * (exact * (1.0 - exact) / 256.0).sqrt();
                assert!(
                    error.abs() <= bound + 1e-12,
                    "{exact}: {error}, bound {bound}"
                );
                bias += error;
            }
        }
        // The mean of 200 errors has a standard error of at most 0.5 / √(256 · 200).
        assert!(
            (bias / 200.0).abs() < 4.0 * 0.5 / (256.0_f64 * 200.0).sqrt(),
            "{bias}"
        );
    }

    #[test]
    fn bands_of_equal_numbers_are_equal_in_their_place_only() {
        let (mut a, mut b) = (Vec::new(), Vec::new());
        bands(&[1, 2, 1, 2, 5, 6], 2, &mut a);
        bands(&[1, 2, 3, 4, 5, 6], 2, &mut b);
        assert_eq!((a[0], a[2]), (b[0], b[2]));
        assert!(a[0] != a[1] && a[1] != b[1]);
    }
}
