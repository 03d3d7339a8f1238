//! Snappy's blocks, piece by piece: the crate `snap` decompresses a block as a whole.

use std::io::{self, BufRead};

use super::window::{Element, Elements, little_endian};

/// A block of Snappy.
///
/// Source: Snappy's compressed format description, `format_description.txt`.
#[derive(Debug, Default)]
pub(super) struct Snappy {
    /// Bytes that the block decompresses to and that are still to come; none before its length is read.
    left: Option<usize>,
}

impl Elements for Snappy {
    fn next(&mut self, input: &mut dyn BufRead) -> io::Result<Element> {
        let left = match self.left {
            Some(left) => left,
            None => length(input)?,
        };
        if left == 0 {
            self.left = Some(0);
            return Ok(Element::End);
        }
        let tag = little_endian(input, 1)?;
        let upper = tag >> 2;
        let element = match tag & 3 {
            0 => Element::Literal(match upper {
                60.. => little_endian(input, upper - 59)? + 1,
                _ => upper + 1,
            }),
            1 => Element::Copy {
                length: 4 + (upper & 7),
                back: (tag >> 5) << 8 | little_endian(input, 1)?,
            },
            bytes => Element::Copy {
                length: upper + 1,
                back: little_endian(input, if bytes == 2 { 2 } else { 4 })?,
            },
        };
        let (Element::Literal(length) | Element::Copy { length, .. }) = element else {
            unreachable!("a tag is a literal or a copy")
        };
        let Some(left) = left.checked_sub(length) else {
            let message = "a block of Snappy that is longer than it says";
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        };
        self.left = Some(left);
        Ok(element)
    }
}

/// Reads the length of what the block decompresses to.
fn length(input: &mut dyn BufRead) -> io::Result<usize> {
    let mut length = 0;
    for shift in (0..35).step_by(7) {
        let byte = little_endian(input, 1)?;
        length |= (byte & 0x7f) << shift;
        if byte < 0x80 {
            return Ok(length);
        }
    }
    let message = "a block of Snappy without a length";
    Err(io::Error::new(io::ErrorKind::InvalidData, message))
}
