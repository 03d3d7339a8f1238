//! Parquet's hybrid of run lengths and bit packing, for levels and for places in a dictionary.
//!
//! Source: `Encodings.md` of the Parquet format.

use datafusion::parquet::errors::{ParquetError, Result};

/// Decodes so many numbers of `width` bits, 32 at most.
pub(super) fn decode(mut bytes: &[u8], width: usize, count: usize) -> Result<Vec<u32>> {
    if width > 32 {
        let message = format!("expected numbers of at most 32 bits, found {width}");
        return Err(ParquetError::General(message));
    }
    let mut numbers = Vec::with_capacity(count.min(8 * bytes.len()));
    while numbers.len() < count {
        let header = take_unsigned(&mut bytes)?;
        let left = count - numbers.len();
        let length = usize::try_from(header >> 1).unwrap_or(usize::MAX);
        if header & 1 == 1 {
            // Eights of numbers, the lowest bit first; the last one is filled up.
            let eights = length.min(left.div_ceil(8));
            // Some writers leave out what fills the last one up.
            let needed = (left.min(8 * eights) * width).div_ceil(8);
            let there = bytes.len().min(eights * width);
            let packed = take(&mut bytes, there.max(needed))?;
            numbers.extend((0..left.min(8 * eights)).map(|at| unpacked(packed, width, at)));
        } else {
            let number = unpacked(
                take(&mut bytes, width.div_ceil(8))?,
                width.next_multiple_of(8),
                0,
            );
            numbers.resize(numbers.len() + length.min(left), number);
        }
    }
    Ok(numbers)
}

/// Returns the number at a place among those that are packed.
fn unpacked(packed: &[u8], width: usize, at: usize) -> u32 {
    let start = at * width;
    let mut window = [0; 8];
    let bytes = &packed[(start / 8).min(packed.len())..];
    let length = bytes.len().min(window.len());
    window[..length].copy_from_slice(&bytes[..length]);
    let number = u64::from_le_bytes(window) >> (start % 8);
    (number & ((1 << width) - 1)) as u32
}

fn take<'a>(bytes: &mut &'a [u8], count: usize) -> Result<&'a [u8]> {
    let (taken, rest) = bytes.split_at_checked(count).ok_or_else(truncated)?;
    *bytes = rest;
    Ok(taken)
}

/// Encodes levels as runs.
pub(super) fn encode(levels: &[bool]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for run in levels.chunk_by(|a, b| a == b) {
        let mut header = (run.len() as u64) << 1;
        while header >= 0x80 {
            bytes.push(header as u8 | 0x80);
            header >>= 7;
        }
        bytes.extend([header as u8, u8::from(run[0])]);
    }
    bytes
}

fn take_unsigned(bytes: &mut &[u8]) -> Result<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let byte = take(bytes, 1)?[0];
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Ok(value);
        }
    }
    Err(truncated())
}

fn truncated() -> ParquetError {
    let message =
        "expected a level or a place in the dictionary for each value of a page, found less";
    ParquetError::General(message.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_and_packed_bits_are_decoded() {
        // Three ones, eight packed bits of which five count.
        let bytes = [6, 1, 3, 0b1011_0110];
        let expected = [1, 1, 1, 0, 1, 1, 0, 1];
        assert_eq!(decode(&bytes, 1, 8).expect("levels"), expected);
        assert!(decode(&bytes, 1, 12).is_err());
        assert!(decode(&bytes[..1], 1, 1).is_err());
        assert!(decode(&[0xff; 12], 1, 1).is_err());
        assert!(decode(&[2, 0], 33, 1).is_err());
        assert!(decode(&[], 1, 0).expect("none").is_empty());
        // A run that claims more than there are values.
        let numbers = decode(&[0xfe, 0xff, 0x7f, 1], 1, 2);
        assert_eq!(numbers.expect("levels"), [1; 2]);
        // Numbers over the ends of bytes, the example of the format's description.
        let numbers = decode(&[3, 0x88, 0xc6, 0xfa], 3, 8);
        assert_eq!(numbers.expect("numbers"), [0, 1, 2, 3, 4, 5, 6, 7]);
        let numbers = decode(&[4, 0x39, 0x30], 14, 2);
        assert_eq!(numbers.expect("numbers"), [0x3039, 0x3039]);
        // Without what fills the eight up, and without one that counts.
        let numbers = decode(&[3, 1, 2, 3, 4, 0xff, 0xff, 0xff, 0xff], 32, 2);
        assert_eq!(numbers.expect("numbers"), [0x0403_0201, u32::MAX]);
        assert!(decode(&[3, 1, 2, 3, 4, 0xff, 0xff, 0xff], 32, 2).is_err());
        let numbers = decode(&[2, 1, 2, 3, 4], 32, 1);
        assert_eq!(numbers.expect("a number"), [0x0403_0201]);
        assert_eq!(decode(&[200, 1], 0, 100).expect("zeros"), [0; 100]);
    }

    #[test]
    fn what_is_encoded_is_decoded() {
        for length in [0, 1, 2, 63, 64, 1000] {
            let levels: Vec<_> = (0..length).map(|n| n % 97 < 80 && n % 5 != 1).collect();
            let decoded = decode(&encode(&levels), 1, length).expect("levels");
            assert!(decoded.iter().map(|level| *level == 1).eq(levels));
        }
    }
}
