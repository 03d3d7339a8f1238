//! The header of a page, which says how long the page is.

use std::io::Read;

use datafusion::parquet::errors::{ParquetError, Result};

/// What a page's header says, as far as it is needed to read or skip the page.
///
/// Source: PageHeader in `parquet.thrift` of the Parquet format, in Thrift's compact protocol.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Header {
    /// The header's own bytes.
    pub(super) length: u64,
    pub(super) compressed: i64,
    pub(super) uncompressed: i64,
    /// Of the page's bytes as they are in the file.
    pub(super) checksum: Option<u32>,
    /// Of a page of data.
    pub(super) data: Option<Data>,
    /// Of a dictionary: its values.
    pub(super) dictionary: Option<i64>,
}

/// What the header of a page of data says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Data {
    /// NULLs included.
    pub(super) values: i64,
    pub(super) encoding: i64,
    pub(super) levels: Levels,
}

/// How the levels of a page of data are written.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Levels {
    /// Before the values and compressed with them, in this encoding: version 1.
    Within { encoding: i64 },
    /// Before the values, so many bytes that are never compressed: version 2.
    Before { bytes: i64, is_compressed: bool },
}

impl Header {
    pub(super) fn read(input: &mut impl Read) -> Result<Self> {
        let mut thrift = Thrift { input, read: 0 };
        let mut header = Self::default();
        thrift.fields(|thrift, field, kind| {
            match field {
                2 => header.uncompressed = thrift.integer(kind)?,
                3 => header.compressed = thrift.integer(kind)?,
                4 => header.checksum = Some(thrift.integer(kind)? as u32),
                5 if kind == STRUCT => header.data = Some(thrift.data()?),
                7 if kind == STRUCT => header.dictionary = Some(thrift.values_of_dictionary()?),
                8 if kind == STRUCT => header.data = Some(thrift.data_of_version_2()?),
                _ => thrift.skip(kind, 0)?,
            }
            Ok(())
        })?;
        header.length = thrift.read;
        // The format's numbers have 32 bits.
        let mut numbers = vec![header.compressed, header.uncompressed];
        numbers.extend(header.dictionary);
        if let Some(data) = &header.data {
            numbers.push(data.values);
            if let Levels::Before { bytes, .. } = data.levels {
                numbers.push(bytes);
            }
        }
        match numbers
            .iter()
            .find(|number| !(0..=i64::from(i32::MAX)).contains(*number))
        {
            Some(number) => Err(broken(&format!("a length of {number}"))),
            None => Ok(header),
        }
    }
}

fn broken(found: &str) -> ParquetError {
    ParquetError::General(format!("expected the header of a page, found {found}"))
}

/// Types of Thrift's compact protocol.
const TRUE: u8 = 1;
const FALSE: u8 = 2;
const STRUCT: u8 = 12;

/// How deep structs may lie in one another.
const DEEPEST: u8 = 16;

/// Reads Thrift's compact protocol.
struct Thrift<'a, R> {
    input: &'a mut R,
    /// Bytes read so far.
    read: u64,
}

impl<R: Read> Thrift<'_, R> {
    fn byte(&mut self) -> Result<u8> {
        let mut byte = [0];
        self.input.read_exact(&mut byte)?;
        self.read += 1;
        Ok(byte[0])
    }

    fn unsigned(&mut self) -> Result<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(broken("a number without an end"))
    }

    fn signed(&mut self) -> Result<i64> {
        let value = self.unsigned()?;
        Ok((value >> 1) as i64 ^ -((value & 1) as i64))
    }

    /// Reads a field that is to be a number.
    fn integer(&mut self, kind: u8) -> Result<i64> {
        match kind {
            4..=6 => self.signed(),
            _ => Err(broken("a field of another type than a number")),
        }
    }

    /// Calls `field` with the number and type of each field of a struct; it reads the field's value.
    fn fields(&mut self, mut field: impl FnMut(&mut Self, i64, u8) -> Result<()>) -> Result<()> {
        let mut number = 0;
        loop {
            let byte = self.byte()?;
            let (step, kind) = (byte >> 4, byte & 0x0f);
            if byte == 0 {
                return Ok(());
            }
            number = match step {
                0 => self.signed()?,
                _ => number.wrapping_add(i64::from(step)),
            };
            field(self, number, kind)?;
        }
    }

    fn data(&mut self) -> Result<Data> {
        let [mut values, mut encoding, mut of_levels] = [0; 3];
        self.fields(|thrift, field, kind| {
            match field {
                1 => values = thrift.integer(kind)?,
                2 => encoding = thrift.integer(kind)?,
                3 => of_levels = thrift.integer(kind)?,
                _ => thrift.skip(kind, 0)?,
            }
            Ok(())
        })?;
        let levels = Levels::Within {
            encoding: of_levels,
        };
        Ok(Data {
            values,
            encoding,
            levels,
        })
    }

    fn values_of_dictionary(&mut self) -> Result<i64> {
        let mut values = 0;
        self.fields(|thrift, field, kind| {
            match field {
                1 => values = thrift.integer(kind)?,
                _ => thrift.skip(kind, 0)?,
            }
            Ok(())
        })?;
        Ok(values)
    }

    fn data_of_version_2(&mut self) -> Result<Data> {
        let ([mut values, mut encoding, mut bytes], mut is_compressed) = ([0; 3], true);
        self.fields(|thrift, field, kind| {
            match field {
                1 => values = thrift.integer(kind)?,
                4 => encoding = thrift.integer(kind)?,
                5 | 6 => bytes = thrift.integer(kind)?.saturating_add(bytes),
                7 if matches!(kind, TRUE | FALSE) => is_compressed = kind == TRUE,
                _ => thrift.skip(kind, 0)?,
            }
            Ok(())
        })?;
        let levels = Levels::Before {
            bytes,
            is_compressed,
        };
        Ok(Data {
            values,
            encoding,
            levels,
        })
    }

    fn skip_bytes(&mut self, bytes: u64) -> Result<()> {
        let skipped = std::io::copy(&mut self.input.by_ref().take(bytes), &mut std::io::sink())?;
        self.read += skipped;
        if skipped < bytes {
            return Err(broken("the end of the file"));
        }
        Ok(())
    }

    /// Skips a value; a boolean field's value is its type.
    fn skip(&mut self, kind: u8, depth: u8) -> Result<()> {
        if depth > DEEPEST {
            return Err(broken("structs in structs in structs"));
        }
        match kind {
            TRUE | FALSE => Ok(()),
            3 => self.skip_bytes(1),
            4..=6 => self.unsigned().map(drop),
            7 => self.skip_bytes(8),
            8 => {
                let bytes = self.unsigned()?;
                self.skip_bytes(bytes)
            }
            9 | 10 => {
                let byte = self.byte()?;
                let items = match byte >> 4 {
                    15 => self.unsigned()?,
                    few => u64::from(few),
                };
                (0..items).try_for_each(|_| match byte & 0x0f {
                    TRUE | FALSE => self.skip_bytes(1),
                    kind => self.skip(kind, depth + 1),
                })
            }
            STRUCT => self.fields(|thrift, _, kind| thrift.skip(kind, depth + 1)),
            _ => Err(broken(&format!("a field of type {kind}"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_that_nobody_asks_for_are_skipped() {
        // Type 0, 300 bytes, 200 compressed, a checksum; data: 7 values, PLAIN, RLE, RLE, statistics with a text, a list
        // of two numbers and a flag that are in no version yet; a field 9 of a struct.
        let bytes = [
            0x15, 0x00, 0x15, 0xd8, 0x04, 0x15, 0x90, 0x03, 0x15, 0x02, //
            0x1c, 0x15, 0x0e, 0x15, 0x00, 0x15, 0x06, 0x15, 0x06, //
            0x1c, 0x58, 0x03, b'a', b'b', b'c', 0x00, 0x19, 0x25, 0x02, 0x04, 0x11, 0x00, //
            0x4c, 0x11, 0x00, 0x00, 99,
        ];
        let header = Header::read(&mut bytes.as_slice()).expect("a header");
        let data = Data {
            values: 7,
            encoding: 0,
            levels: Levels::Within { encoding: 3 },
        };
        let expected = Header {
            length: bytes.len() as u64 - 1,
            compressed: 200,
            uncompressed: 300,
            checksum: Some(1),
            data: Some(data),
            dictionary: None,
        };
        assert_eq!(header, expected);
    }

    #[test]
    fn what_is_no_header_is_an_error() {
        let deep = [0x1c; 64];
        let negative = [0x25, 0x01, 0x15, 0x01, 0x00];
        let no_number = [0x28, 0x00, 0x00];
        let endless = [
            0x15, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        ];
        for bytes in [&deep[..], &negative, &no_number, &endless, &[0x15], &[]] {
            assert!(Header::read(&mut &*bytes).is_err(), "{bytes:?}");
        }
    }
}
