//! What a decompressor of the LZ77 family keeps of its output.

use std::io::{self, BufRead, Read};

/// How far back a copy may begin: what Snappy's compressors and LZ4's format keep to.
pub(super) const WINDOW: usize = 1 << 16;

/// Bytes that are decompressed before they are handed out.
const AHEAD: usize = 1 << 18;

/// A block's next element.
#[derive(Debug, Clone, Copy)]
pub(super) enum Element {
    /// So many bytes of the input as they are.
    Literal(usize),
    /// So many bytes of the output, from so far back.
    Copy { back: usize, length: usize },
    /// The block ends.
    End,
}

/// A compression whose blocks are literals and copies.
pub(super) trait Elements {
    /// Reads what comes next.
    fn next(&mut self, input: &mut dyn BufRead) -> io::Result<Element>;
}

/// Decompresses a block piece by piece.
///
/// A copy from further back than 64 KiB, which no compressor that is in use makes, is an error of kind `Unsupported`.
pub(super) struct Decompressed<R, E> {
    input: R,
    elements: E,
    /// The last of what was handed out, then what is to be.
    output: Vec<u8>,
    handed_out: usize,
    /// What is left of the element under way.
    element: Element,
    has_ended: bool,
}

impl<R: BufRead, E: Elements> Decompressed<R, E> {
    pub(super) fn new(input: R, elements: E) -> Self {
        Self {
            input,
            elements,
            output: Vec::with_capacity(WINDOW + 2 * AHEAD),
            handed_out: 0,
            element: Element::Literal(0),
            has_ended: false,
        }
    }

    /// Makes room and decompresses some bytes.
    fn fill(&mut self) -> io::Result<()> {
        let old = self.output.len().saturating_sub(WINDOW);
        self.output.drain(..old);
        self.handed_out -= old;
        let most = self.output.len() + AHEAD;
        while self.output.len() < most && !self.has_ended {
            let room = most - self.output.len();
            match &mut self.element {
                Element::Literal(0) | Element::Copy { length: 0, .. } => {
                    self.element = self.elements.next(&mut self.input)?;
                }
                Element::Literal(left) => {
                    let found = self.input.fill_buf()?;
                    if found.is_empty() {
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    }
                    let taken = found.len().min(*left).min(room);
                    self.output.extend_from_slice(&found[..taken]);
                    self.input.consume(taken);
                    *left -= taken;
                }
                Element::Copy { back, length } => {
                    let from = self.output.len().checked_sub(*back);
                    let Some(from) = from.filter(|_| *back > 0) else {
                        return Err(match back {
                            0 => io::Error::new(io::ErrorKind::InvalidData, "a copy of nothing"),
                            _ => io::Error::new(io::ErrorKind::Unsupported, "a copy from far back"),
                        });
                    };
                    // A copy may go on into what it writes.
                    let taken = (*back).min(*length).min(room);
                    self.output.extend_from_within(from..from + taken);
                    *length -= taken;
                }
                Element::End => self.has_ended = true,
            }
        }
        Ok(())
    }
}

impl<R: BufRead, E: Elements> Read for Decompressed<R, E> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.handed_out == self.output.len() {
            self.fill()?;
        }
        let ready = &self.output[self.handed_out..];
        let taken = ready.len().min(buffer.len());
        buffer[..taken].copy_from_slice(&ready[..taken]);
        self.handed_out += taken;
        Ok(taken)
    }
}

/// Reads a little-endian number of `bytes` bytes, eight at most.
pub(super) fn little_endian(input: &mut dyn BufRead, bytes: usize) -> io::Result<usize> {
    let mut value = [0; 8];
    input.read_exact(&mut value[..bytes])?;
    Ok(u64::from_le_bytes(value) as usize)
}
