//! LZ4's blocks, piece by piece: the crate `lz4_flex` decompresses a block as a whole.

use std::io::{self, BufRead};

use super::window::{Element, Elements, little_endian};

/// A block of LZ4.
///
/// Source: LZ4 Block Format Description, `lz4_Block_format.md`.
#[derive(Debug, Default)]
pub(super) struct Lz4 {
    /// The lower half of the token whose literals were handed out.
    copy: Option<usize>,
}

impl Elements for Lz4 {
    fn next(&mut self, input: &mut dyn BufRead) -> io::Result<Element> {
        if input.fill_buf()?.is_empty() {
            return Ok(Element::End);
        }
        match self.copy.take() {
            None => {
                let token = little_endian(input, 1)?;
                self.copy = Some(token & 15);
                Ok(Element::Literal(length(token >> 4, input)?))
            }
            Some(short) => {
                let back = little_endian(input, 2)?;
                let length = length(short, input)? + 4;
                Ok(Element::Copy { back, length })
            }
        }
    }
}

/// Reads what comes on top of a length of 15.
fn length(short: usize, input: &mut dyn BufRead) -> io::Result<usize> {
    let mut length = short;
    let mut goes_on = short == 15;
    while goes_on {
        let more = little_endian(input, 1)?;
        length += more;
        goes_on = more == 255;
    }
    Ok(length)
}
