//! Reader of packed little-endian numbers.

/// Reads numbers of a file that the binary has in it: a test reads it to its end.
pub(crate) struct Packed(pub(crate) &'static [u8]);

impl Packed {
    fn take<const N: usize>(&mut self) -> [u8; N] {
        let (taken, rest) = self.0.split_first_chunk().expect("the file is whole");
        self.0 = rest;
        *taken
    }

    pub(crate) fn u8(&mut self) -> u8 {
        u8::from_le_bytes(self.take())
    }

    pub(crate) fn u16(&mut self) -> u16 {
        u16::from_le_bytes(self.take())
    }

    /// Reads how many numbers there are, and the numbers.
    pub(crate) fn table(&mut self) -> Vec<f64> {
        let count = self.u16();
        (0..count)
            .map(|_| f64::from_le_bytes(self.take()))
            .collect()
    }

    pub(crate) fn line(&mut self) -> &'static str {
        let end = self.0.iter().position(|byte| *byte == b'\n');
        let (line, rest) = self.0.split_at(end.expect("the file has a line"));
        self.0 = &rest[1..];
        str::from_utf8(line).expect("lines are text")
    }
}
