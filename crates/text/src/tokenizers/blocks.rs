//! Bit masks of a text's token bytes, 64 bytes at a time.

/// Bytes that are looked at together, a bit each.
pub(super) const BLOCK: usize = u64::BITS as usize;

/// Returns a bit for each byte of a block, the first byte's lowest; `is` gives 1 or 0.
#[inline(always)]
pub(super) fn bits(block: &[u8; BLOCK], is: impl Fn(u8) -> u8) -> u64 {
    // Ones and zeros first: the compiler does that with vector instructions.
    let ones = block.map(is);
    // The product has the lowest bits of the eight bytes in its highest byte.
    const GATHER: u64 = 0x0102_0408_1020_4080;
    let mut bits = 0;
    for (at, eight) in ones.as_chunks::<8>().0.iter().enumerate() {
        bits |= (u64::from_le_bytes(*eight).wrapping_mul(GATHER) >> 56) << (8 * at);
    }
    bits
}

/// Returns a bit for each letter, digit and underscore of an ASCII block; `case` is set in a letter before it is compared
/// with those in lower case.
#[inline(always)]
pub(super) fn word_bits(block: &[u8; BLOCK], case: u8) -> u64 {
    bits(block, |byte| {
        u8::from((byte | case).wrapping_sub(b'a') < 26)
            | u8::from(byte.wrapping_sub(b'0') < 10)
            | u8::from(byte == b'_')
    })
}

/// The bit that letters in lower case have and those in upper case lack.
pub(super) const LOWER: u8 = 0x20;

/// The runs of set bits in block after block.
#[derive(Debug, Default)]
pub(super) struct Runs {
    /// Whether the byte before was in a run.
    inside: bool,
    /// Where that began.
    start: usize,
}

impl Runs {
    /// Takes the block that begins at byte `base`, and calls `each` with the start and end of every run that ends in it.
    #[inline(always)]
    pub(super) fn add(&mut self, base: usize, bits: u64, mut each: impl FnMut(usize, usize)) {
        let mut changes = bits ^ (bits << 1 | u64::from(self.inside));
        while changes != 0 {
            let at = base + changes.trailing_zeros() as usize;
            changes &= changes - 1;
            if self.inside {
                each(self.start, at);
            }
            self.start = at;
            self.inside = !self.inside;
        }
    }

    /// Calls `each` with a run that goes on to the end of the text.
    pub(super) fn end(self, length: usize, mut each: impl FnMut(usize, usize)) {
        if self.inside {
            each(self.start, length);
        }
    }
}
