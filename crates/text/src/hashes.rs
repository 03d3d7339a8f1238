//! Hash functions whose values are the same in every version and on every platform.

use std::hint::select_unpredictable;

use super::append::AT_ONCE;
use super::keys::Placed;

/// Returns MurmurHash3 x86_32 (Appleby 2011), as scikit-learn's `murmurhash3_32` without `positive`: a signed number.
pub fn murmur3_32(token: Placed<'_>, seed: u32) -> i32 {
    let length = token.length;
    let hash = match token.bytes.first_chunk::<AT_ONCE>() {
        // Most tokens are short: all their blocks are taken, and what is none of theirs is left out without a branch.
        Some(bytes) if length < AT_ONCE => {
            let (mut hash, mut last) = (seed, 0);
            for (at, block) in bytes.as_chunks::<4>().0.iter().enumerate() {
                let block = u32::from_le_bytes(*block);
                let is_whole = 4 * at + 4 <= length;
                hash = select_unpredictable(is_whole, step(hash, block), hash);
                last = select_unpredictable(at == length / 4, block, last);
            }
            hash ^ scrambled(last & !(u32::MAX << (8 * (length % 4))))
        }
        _ => {
            let (blocks, rest) = token.token().as_chunks::<4>();
            let blocks = blocks.iter().map(|block| u32::from_le_bytes(*block));
            let mut last = [0; 4];
            last[..rest.len()].copy_from_slice(rest);
            blocks.fold(seed, step) ^ scrambled(u32::from_le_bytes(last))
        }
    };
    mixed_32(hash ^ length as u32) as i32
}

/// Takes a block of four bytes into a hash.
#[inline]
fn step(hash: u32, block: u32) -> u32 {
    let hash = (hash ^ scrambled(block)).rotate_left(13);
    hash.wrapping_mul(5).wrapping_add(0xe654_6b64)
}

#[inline]
fn scrambled(block: u32) -> u32 {
    block
        .wrapping_mul(0xcc9e_2d51)
        .rotate_left(15)
        .wrapping_mul(0x1b87_3593)
}

/// Returns MurmurHash3's last step of 32 bits: a permutation in which every bit depends on every other.
#[inline]
pub fn mixed_32(mut hash: u32) -> u32 {
    hash ^= hash >> 16;
    hash = hash.wrapping_mul(0x85eb_ca6b);
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(0xc2b2_ae35);
    hash ^ (hash >> 16)
}

/// Returns XXH64 (Collet 2014).
#[inline]
pub fn xxh64(bytes: &[u8], seed: u64) -> u64 {
    twox_hash::XxHash64::oneshot(seed, bytes)
}

/// Returns the numbers of SplitMix64 (Steele et al. 2014) from this seed.
pub fn split_mix_64(seed: u64) -> impl Iterator<Item = u64> {
    let mut state = seed;
    std::iter::repeat_with(move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut number = state;
        number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        number ^ (number >> 31)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn murmur3_is_the_published_one() {
        // Test vectors of the reference's users: Wikipedia, «MurmurHash», and scikit-learn's test_murmurhash.py.
        for (bytes, seed, expected) in [
            ("", 0, 0),
            ("", 1, 0x514e_28b7),
            ("test", 0, 0xba6b_d213),
            ("Hello, world!", 0, 0xc036_3e43),
            (
                "The quick brown fox jumps over the lazy dog",
                0,
                0x2e4f_f723,
            ),
        ] {
            assert_eq!(murmur(bytes.as_bytes(), seed) as u32, expected, "{bytes}");
        }
        assert_eq!(murmur(b"foo", 0), -156_908_512);
        assert_eq!(murmur(b"foo", 42), -1_322_301_282);
    }

    /// Returns the hash of all these bytes.
    fn murmur(bytes: &[u8], seed: u32) -> i32 {
        let length = bytes.len();
        murmur3_32(Placed { bytes, length }, seed)
    }

    #[test]
    fn what_stands_behind_a_token_does_not_count() {
        let bytes: Vec<u8> = (0..40).map(|at| 255 - at).collect();
        for length in 0..bytes.len() {
            let token = Placed {
                bytes: &bytes,
                length,
            };
            assert_eq!(
                murmur3_32(token, 1),
                murmur(&bytes[..length], 1),
                "{length}"
            );
        }
    }

    #[test]
    fn xxh64_is_the_published_one() {
        assert_eq!(xxh64(b"", 0), 0xef46_db37_51d8_e999);
        assert_eq!(xxh64(b"abc", 0), 0x44bc_2cf5_ad77_0999);
    }

    #[test]
    fn split_mix_64_is_the_published_one() {
        // The first outputs of seed 1234567 in Vigna's splitmix64.c.
        let numbers: Vec<_> = split_mix_64(1_234_567).take(3).collect();
        assert_eq!(
            numbers,
            [
                6_457_827_717_110_365_317,
                3_203_168_211_198_807_973,
                9_817_491_932_198_370_423
            ]
        );
    }
}
