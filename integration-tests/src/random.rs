//! Chance that can be had again: numbers out of a seed.

use std::time::{SystemTime, UNIX_EPOCH};

/// A generator of numbers: SplitMix64 by Steele, Lea and Flood, 2014.
#[derive(Debug)]
pub struct Random(u64);

impl Random {
    /// Returns a generator with another seed each time, which is printed: `LEXSTREAM_TEST_SEED` gives it again.
    pub fn printed() -> Self {
        let given = std::env::var("LEXSTREAM_TEST_SEED").ok();
        let seed = given.map_or_else(
            || {
                let now = SystemTime::now().duration_since(UNIX_EPOCH);
                u64::from(now.expect("after 1970").subsec_nanos())
            },
            |seed| seed.parse().expect("a seed is a number"),
        );
        eprintln!("LEXSTREAM_TEST_SEED={seed}");
        Self(seed)
    }

    /// Returns a number below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }
}
