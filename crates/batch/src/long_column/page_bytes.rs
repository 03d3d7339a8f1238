//! The values of a page, decompressed as they are read.

use std::fs::File;
use std::io::{self, BufReader, Read};

use datafusion::datasource::file_format::file_compression_type::FileCompressionType;
use datafusion::parquet::basic::Compression;
use datafusion::parquet::column::page::Page;
use datafusion::parquet::errors::Result;

use super::lz4::Lz4;
use super::snappy::Snappy;
use super::window::Decompressed;

/// Bytes of the file that are read at once.
const AT_ONCE: usize = 1 << 18;

/// Tells whether a compression can be taken back piece by piece.
pub(super) fn can_be_streamed(compression: Compression) -> bool {
    match compression {
        Compression::UNCOMPRESSED
        | Compression::SNAPPY
        | Compression::GZIP(_)
        | Compression::LZ4_RAW
        | Compression::ZSTD(_) => true,
        Compression::BROTLI(_) | Compression::LZ4 | Compression::LZO => false,
    }
}

/// Reads the page as a whole, as Parquet's own reader does.
pub(super) type ReadWhole = Box<dyn FnMut() -> Result<Page> + Send>;

/// What a page holds behind its levels, or with them where they are compressed with its values.
pub(super) struct PageBytes {
    source: Source,
    read_whole: ReadWhole,
    /// Bytes of the whole page, uncompressed, that come before the next.
    done: usize,
}

enum Source {
    File(BufReader<Box<dyn Read + Send>>),
    Memory(Page),
}

impl PageBytes {
    /// Reads from where `file` stands, `compressed` bytes at most; `done` bytes of the page come before.
    pub(super) fn try_new(
        file: File,
        compressed: u64,
        compression: Compression,
        done: usize,
        read_whole: ReadWhole,
    ) -> Result<Self> {
        let input = BufReader::with_capacity(AT_ONCE, file.take(compressed));
        let converted = |kind: FileCompressionType, input| {
            let reader = kind.convert_read(input);
            reader.map_err(|error| io::Error::other(error.to_string()))
        };
        let input: Box<dyn Read + Send> = match compression {
            Compression::SNAPPY => Box::new(Decompressed::new(input, Snappy::default())),
            Compression::LZ4_RAW => Box::new(Decompressed::new(input, Lz4::default())),
            Compression::GZIP(_) => converted(FileCompressionType::GZIP, input)?,
            Compression::ZSTD(_) => converted(FileCompressionType::ZSTD, input)?,
            _ => Box::new(input),
        };
        Ok(Self {
            source: Source::File(BufReader::with_capacity(AT_ONCE, input)),
            read_whole,
            done,
        })
    }

    /// Passes over bytes without keeping them.
    pub(super) fn skip(&mut self, bytes: usize) -> io::Result<()> {
        let skipped = io::copy(&mut self.take(bytes as u64), &mut io::sink())?;
        match skipped == bytes as u64 {
            true => Ok(()),
            false => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
}

impl Read for PageBytes {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = match &mut self.source {
            Source::File(input) => input.read(buffer),
            Source::Memory(page) => page.buffer().get(self.done..).unwrap_or(&[]).read(buffer),
        };
        match read {
            Ok(read) => {
                self.done += read;
                Ok(read)
            }
            // A compressor that we don't know: the page is decompressed as a whole.
            Err(error) if error.kind() == io::ErrorKind::Unsupported => {
                self.source = Source::Memory((self.read_whole)().map_err(io::Error::other)?);
                self.read(buffer)
            }
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Seek, Write};

    use super::*;

    fn check(compression: Compression, block: &[u8], expected: std::result::Result<&[u8], &str>) {
        let mut file = tempfile::tempfile().expect("a file");
        file.write_all(block).expect("written");
        file.rewind().expect("at its start");
        let whole: ReadWhole = Box::new(|| Ok(page(b"as a whole")));
        let bytes = block.len() as u64;
        let mut bytes = PageBytes::try_new(file, bytes, compression, 3, whole).expect("a page");
        let mut found = Vec::new();
        match bytes.read_to_end(&mut found) {
            Ok(_) => assert_eq!(Ok(found.as_slice()), expected),
            Err(error) => assert_eq!(Err(error.to_string().as_str()), expected),
        }
    }

    fn page(bytes: &'static [u8]) -> Page {
        Page::DictionaryPage {
            buf: bytes.into(),
            num_values: 0,
            encoding: datafusion::parquet::basic::Encoding::PLAIN,
            is_sorted: false,
        }
    }

    #[test]
    fn blocks_of_snappy_are_decompressed_element_by_element() {
        let check = |block: &[u8], expected| check(Compression::SNAPPY, block, expected);
        check(&[0], Ok(b""));
        // A literal, and a copy that goes on into what it writes, with its place in one, two and four bytes.
        check(&[8, 4, b'a', b'b', 0x09, 2], Ok(b"abababab"));
        check(&[8, 4, b'a', b'b', 0x16, 2, 0], Ok(b"abababab"));
        check(&[8, 4, b'a', b'b', 0x17, 2, 0, 0, 0], Ok(b"abababab"));
        // A literal whose length stands in two bytes of its own.
        check(&[3, 0xf4, 2, 0, b'a', b'b', b'c'], Ok(b"abc"));
        check(&[9, 4, b'a', b'b'], Err("failed to fill whole buffer"));
        check(&[2, 4, b'a'], Err("unexpected end of file"));
        let longer = "a block of Snappy that is longer than it says";
        check(&[1, 4, b'a', b'b'], Err(longer));
        check(&[3, 4, b'a', b'b', 0x02, 0, 0], Err("a copy of nothing"));
        check(&[0xff; 6], Err("a block of Snappy without a length"));
    }

    #[test]
    fn a_copy_from_further_back_than_we_keep_has_the_page_read_whole() {
        // The three bytes before the block are of the page too.
        check(
            Compression::SNAPPY,
            &[9, 0, b's', 0x17, 0, 0, 2, 0],
            Ok(b"a whole"),
        );
    }

    #[test]
    fn blocks_of_lz4_are_decompressed_element_by_element() {
        let check = |block: &[u8], expected| check(Compression::LZ4_RAW, block, expected);
        check(&[0x20, b'a', b'b'], Ok(b"ab"));
        check(&[0x22, b'a', b'b', 2, 0, 0x10, b'c'], Ok(b"ababababc"));
        // Lengths of 15 and more go on in further bytes.
        let long = [&[0xff, 0][..], &[b'x'; 15], &[1, 0, 255, 3, 0x10, b'y']].concat();
        let expected = ["x".repeat(15 + 15 + 255 + 3 + 4), "y".into()].concat();
        check(&long, Ok(expected.as_bytes()));
        check(&[0x20, b'a'], Err("unexpected end of file"));
        check(&[0x20, b'a', b'b', 2], Err("failed to fill whole buffer"));
        check(&[0x20, b'a', b'b', 0, 0], Err("a copy of nothing"));
    }
}
