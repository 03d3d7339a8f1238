//! A page in its file, and the ways to read it.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::ops::Range;
use std::sync::{Arc, Mutex};

use datafusion::parquet::basic::{Compression, Encoding};
use datafusion::parquet::column::page::{Page, PageReader};
use datafusion::parquet::errors::{ParquetError, Result};
use datafusion::parquet::file::metadata::ColumnChunkMetaData;
use datafusion::parquet::file::serialized_reader::SerializedPageReader;

use super::header::{Header, Levels};
use super::hybrid;
use super::long_dictionary::LongDictionary;
use super::long_page::{LongPage, Texts};
use super::page_bytes::PageBytes;
use super::values::Values;

/// RLE in `parquet.thrift`.
const RLE: i64 = 3;

/// Bytes that are summed up at once.
const AT_ONCE: usize = 1 << 18;

/// A page of a column chunk.
#[derive(Clone)]
pub(super) struct StoredPage {
    pub(super) file: Arc<File>,
    pub(super) column: Arc<ColumnChunkMetaData>,
    /// Its bytes in the file, those of the header first.
    pub(super) all: Range<u64>,
    /// Where the header ends.
    pub(super) start: u64,
}

impl StoredPage {
    /// Reads it as Parquet's own reader does.
    pub(super) fn whole(&self) -> Result<Page> {
        let bytes = self.all.end - self.all.start;
        let page = ColumnChunkMetaData::clone(&self.column).into_builder();
        let page = page
            .set_dictionary_page_offset(None)
            .set_data_page_offset(i64::try_from(self.all.start).unwrap_or(i64::MAX))
            .set_total_compressed_size(i64::try_from(bytes).unwrap_or(i64::MAX));
        let rows = usize::try_from(self.column.num_values()).unwrap_or(0);
        let file = Arc::clone(&self.file);
        let mut reader = SerializedPageReader::new(file, &page.build()?, rows, None)?;
        let page = reader.get_next_page()?;
        page.ok_or_else(|| ParquetError::General("expected a page, found none".into()))
    }

    /// Refuses a page that is not what its writer has written, where the writer says.
    pub(super) fn check(&self, header: &Header) -> Result<()> {
        let Some(expected) = header.checksum else {
            return Ok(());
        };
        let mut file = &*self.file;
        file.seek(SeekFrom::Start(self.start))?;
        let bytes = file.take(self.all.end - self.start);
        let mut bytes = BufReader::with_capacity(AT_ONCE, bytes);
        let mut hasher = crc32fast::Hasher::new();
        loop {
            let found = bytes.fill_buf()?;
            if found.is_empty() {
                break;
            }
            hasher.update(found);
            let read = found.len();
            bytes.consume(read);
        }
        match hasher.finalize() == expected {
            true => Ok(()),
            // In the words of Parquet's reader.
            false => Err(ParquetError::General("Page CRC checksum mismatch".into())),
        }
    }

    /// Opens what of it is compressed, which so many bytes come before.
    fn bytes(&self, codec: Compression, before: usize) -> Result<PageBytes> {
        let start = self.start + before as u64;
        let mut file = self.file.try_clone()?;
        file.seek(SeekFrom::Start(start))?;
        let page = self.clone();
        let read_whole = Box::new(move || page.whole());
        let compressed = self.all.end.saturating_sub(start);
        PageBytes::try_new(file, compressed, codec, before, read_whole)
    }

    /// Opens a page of texts in PLAIN encoding to be cut; none where its levels are in an encoding of old.
    pub(super) fn cut(
        &self,
        header: &Header,
        levels: &Levels,
        rows: usize,
    ) -> Result<Option<LongPage>> {
        let codec = self.column.compression();
        let uncompressed = header.uncompressed as usize;
        let (bytes, length, levels) = match *levels {
            Levels::Within { .. } if !self.has_levels() => (self.bytes(codec, 0)?, 0, None),
            Levels::Within { encoding: RLE } => {
                let mut bytes = self.bytes(codec, 0)?;
                let mut length = [0; 4];
                bytes.read_exact(&mut length)?;
                let length = u32::from_le_bytes(length) as usize;
                let levels = levels_of(&mut bytes, length.min(uncompressed), rows)?;
                (bytes, 4 + length, Some(levels))
            }
            Levels::Within { .. } => return Ok(None),
            Levels::Before {
                bytes: length,
                is_compressed,
            } => {
                let length = usize::try_from(length).map_err(|_| too_many_levels())?;
                let mut levels = None;
                if self.has_levels() {
                    let mut file = &*self.file;
                    file.seek(SeekFrom::Start(self.start))?;
                    let stored = usize::try_from(self.all.end - self.start).unwrap_or(usize::MAX);
                    levels = Some(levels_of(&mut file, length.min(stored), rows)?);
                }
                let codec = match is_compressed {
                    true => codec,
                    false => Compression::UNCOMPRESSED,
                };
                (self.bytes(codec, length)?, length, levels)
            }
        };
        let compressed = self.all.end - self.start;
        if codec == Compression::UNCOMPRESSED && compressed != uncompressed as u64 {
            let message = format!("expected a page of {uncompressed} bytes, found {compressed}");
            return Err(ParquetError::General(message));
        }
        let left = uncompressed.checked_sub(length);
        let values = Values::new(bytes, left.ok_or_else(too_many_levels)?);
        Ok(Some(LongPage::new(Texts::InPage(values), levels, rows)))
    }

    /// Opens a dictionary of so many texts that is not to be held in memory.
    pub(super) fn dictionary(
        self,
        header: &Header,
        count: usize,
        most: usize,
    ) -> Result<LongDictionary> {
        let bytes = header.uncompressed as usize;
        let codec = self.column.compression();
        let open = Box::new(move || Ok(Values::new(self.bytes(codec, 0)?, bytes)));
        LongDictionary::try_new(open, count, most)
    }

    /// Reads a page of places in a dictionary that is not held in memory.
    pub(super) fn of_dictionary(
        &self,
        dictionary: &Arc<Mutex<LongDictionary>>,
        rows: usize,
    ) -> Result<LongPage> {
        let page = self.whole()?;
        let mut bytes: &[u8] = page.buffer();
        let mut levels = None;
        let length = match &page {
            Page::DataPageV2 {
                def_levels_byte_len,
                rep_levels_byte_len,
                ..
            } => *def_levels_byte_len as usize + *rep_levels_byte_len as usize,
            Page::DataPage {
                def_level_encoding, ..
            } if self.has_levels() => {
                if *def_level_encoding != Encoding::RLE {
                    let found = format!("levels in encoding {def_level_encoding}");
                    let message = format!("{found}, which a long dictionary is not read with");
                    return Err(ParquetError::NYI(message));
                }
                let mut length = [0; 4];
                bytes.read_exact(&mut length)?;
                u32::from_le_bytes(length) as usize
            }
            _ => 0,
        };
        let (mut encoded, places) = bytes.split_at_checked(length).ok_or_else(too_many_levels)?;
        if self.has_levels() {
            levels = Some(levels_of(&mut encoded, length, rows)?);
        }
        let count = levels.as_ref().map_or(rows, |levels: &Vec<bool>| {
            levels.iter().filter(|is_there| **is_there).count()
        });
        let (width, places) = places.split_first().unwrap_or((&0, &[]));
        let mut places = hybrid::decode(places, usize::from(*width), count)?;
        places.reverse();
        let texts = Texts::InDictionary(Arc::clone(dictionary), places);
        Ok(LongPage::new(texts, levels, rows))
    }

    fn has_levels(&self) -> bool {
        self.column.column_descr().max_def_level() > 0
    }
}

/// Reads levels of so many bytes: whether each row has a value.
fn levels_of(input: &mut impl Read, bytes: usize, rows: usize) -> Result<Vec<bool>> {
    let mut encoded = vec![0; bytes];
    input.read_exact(&mut encoded)?;
    let levels = hybrid::decode(&encoded, 1, rows)?;
    Ok(levels.into_iter().map(|level| level == 1).collect())
}

fn too_many_levels() -> ParquetError {
    ParquetError::General("a page is shorter than its levels".into())
}
