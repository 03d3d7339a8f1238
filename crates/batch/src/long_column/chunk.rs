//! The pages of a column chunk, long ones cut into pieces.

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use datafusion::parquet::basic::{Encoding, Type};
use datafusion::parquet::column::page::Page;
use datafusion::parquet::errors::{ParquetError, Result};
use datafusion::parquet::file::metadata::ColumnChunkMetaData;

use super::header::{Data, Header};
use super::long_dictionary::LongDictionary;
use super::long_page::LongPage;
use super::page_bytes::can_be_streamed;
use super::stored_page::StoredPage;

/// Encodings in `parquet.thrift`.
const PLAIN: i64 = 0;
const PLAIN_DICTIONARY: i64 = 2;
const RLE_DICTIONARY: i64 = 8;

/// A page of more rows is read as it is: a run of levels stands for any number of them.
const MOST_ROWS: u64 = 1 << 26;

/// Bytes of a page's header that are read at once.
const HEADER: usize = 1 << 10;

/// A column chunk, read in runs: a run is pages that are read as they are, or one piece of a long page.
pub(super) struct Chunk {
    path: PathBuf,
    file: Arc<File>,
    column: Arc<ColumnChunkMetaData>,
    /// Bytes above which a page is cut, and that a piece of it has at most.
    long: usize,
    piece: usize,
    /// The rows that are wanted, ascending.
    wanted: Vec<Range<u64>>,
    /// Where the next page begins, and where the chunk ends.
    offset: u64,
    end: u64,
    /// The first row of what comes next.
    row: u64,
    dictionary: Dictionary,
    next: Next,
    run: Run,
}

/// The dictionary of a chunk.
enum Dictionary {
    None,
    /// One that Parquet's reader gets.
    Page(Page),
    Long(Arc<Mutex<LongDictionary>>),
}

/// What comes next.
enum Next {
    /// A page that nobody has looked at.
    Unknown,
    /// A page that is read as it is, and its rows.
    Page { page: StoredPage, rows: u64 },
    /// The rest of a page that is cut.
    Pieces(Box<LongPage>),
}

/// What of a run was handed out.
#[derive(PartialEq, Eq)]
enum Run {
    /// Nothing.
    Begun,
    /// The dictionary.
    HasDictionary,
    /// Pages as they are.
    HasPages,
    /// All: what comes next is another run.
    Ended,
}

impl Chunk {
    /// Tells whether a chunk may hold pages that are to be cut: texts or bytes that are not nested, `long` bytes of them.
    pub(super) fn is_long(column: &ColumnChunkMetaData, long: usize) -> bool {
        let described = column.column_descr();
        column.column_type() == Type::BYTE_ARRAY
            && described.path().parts().len() == 1
            && described.max_rep_level() == 0
            && described.max_def_level() <= 1
            && can_be_streamed(column.compression())
            && column.encodings().all(is_cut)
            && column.uncompressed_size() > i64::try_from(long).unwrap_or(i64::MAX)
    }

    pub(super) fn open(
        path: &Path,
        column: ColumnChunkMetaData,
        wanted: Vec<Range<u64>>,
        piece: usize,
        long: usize,
    ) -> Result<Self> {
        let (offset, bytes) = column.byte_range();
        Ok(Self {
            path: path.to_owned(),
            // Of its own: two who read through one open file move each other.
            file: Arc::new(File::open(path)?),
            column: Arc::new(column),
            long,
            piece,
            wanted,
            offset,
            end: offset.saturating_add(bytes),
            row: 0,
            dictionary: Dictionary::None,
            next: Next::Unknown,
            run: Run::Ended,
        })
    }

    /// Begins a run at the next row that is wanted, and returns the row; none where all were read.
    pub(super) fn begin(&mut self) -> Result<Option<u64>> {
        self.run = Run::Begun;
        self.advance()
    }

    /// Returns the bytes of the next value, where it is longer than a piece.
    pub(super) fn long_value(&mut self) -> Result<usize> {
        match &mut self.next {
            Next::Pieces(page) => {
                let bytes = page.next_bytes()?;
                Ok(if bytes > self.piece { bytes } else { 0 })
            }
            _ => Ok(0),
        }
    }

    /// Returns the next page of the run.
    pub(super) fn page(&mut self) -> Result<Option<Page>> {
        if self.run == Run::Begun {
            self.run = Run::HasDictionary;
            if let (Dictionary::Page(page), Next::Page { .. }) = (&self.dictionary, &self.next) {
                return Ok(Some(page.clone()));
            }
        }
        let before = self.row;
        if self.run == Run::Ended || self.advance()? != Some(before) {
            self.run = Run::Ended;
            return Ok(None);
        }
        match &mut self.next {
            Next::Page { page, rows } => {
                self.run = Run::HasPages;
                let page = page.whole()?;
                self.row += *rows;
                self.next = Next::Unknown;
                Ok(Some(page))
            }
            Next::Pieces(page) if self.run == Run::HasDictionary => {
                self.run = Run::Ended;
                let wanted = wanted_from(&self.wanted, self.row);
                let rows = wanted.map_or(0, |wanted| wanted.end - self.row);
                let most = usize::try_from(rows).unwrap_or(usize::MAX);
                let before = page.rows_left();
                let piece = page.piece(most, self.piece)?;
                self.row += (before - page.rows_left()) as u64;
                Ok(Some(piece))
            }
            Next::Pieces(_) | Next::Unknown => {
                self.run = Run::Ended;
                Ok(None)
            }
        }
    }

    /// Goes on to what has the next row that is wanted; returns its first row, or the row itself where it is cut.
    fn advance(&mut self) -> Result<Option<u64>> {
        loop {
            let Some(wanted) = wanted_from(&self.wanted, self.row) else {
                return Ok(None);
            };
            let until = wanted.start.saturating_sub(self.row);
            match &mut self.next {
                Next::Unknown => {
                    let start = wanted.start;
                    self.look(start)?;
                }
                Next::Pieces(page) if page.rows_left() == 0 => self.next = Next::Unknown,
                Next::Pieces(page) if until > 0 => {
                    let left = page.rows_left() as u64;
                    let rows = left.min(until);
                    page.skip(rows as usize)?;
                    self.row += rows;
                }
                Next::Page { .. } | Next::Pieces(_) => return Ok(Some(self.row)),
            }
        }
    }

    /// Reads the header of the next page, and opens it; one that ends before a row is passed.
    fn look(&mut self, start_row: u64) -> Result<()> {
        if self.offset >= self.end {
            let found = format!("its pages end at row {} of the row group", self.row);
            return Err(self.broken(&found));
        }
        let mut file = &*self.file;
        file.seek(SeekFrom::Start(self.offset))?;
        let left = file.take(self.end - self.offset);
        let header = Header::read(&mut BufReader::with_capacity(HEADER, left))?;
        let start = self.offset + header.length;
        let end = start.saturating_add(header.compressed as u64);
        if end > self.end {
            let last = self.end;
            let found = format!("a page goes on until byte {end}, and the column ends at {last}");
            return Err(self.broken(&found));
        }
        let page = StoredPage {
            file: Arc::clone(&self.file),
            column: Arc::clone(&self.column),
            all: self.offset..end,
            start,
        };
        self.offset = end;
        let bytes = header.uncompressed as usize;
        match (&header.data, header.dictionary) {
            (Some(data), _) => {
                let rows = self.rows_of(data)?;
                if self.row + rows <= start_row {
                    self.row += rows;
                    return Ok(());
                }
                let cut = match (data.encoding, &self.dictionary) {
                    (PLAIN, _) if bytes > self.long && rows <= MOST_ROWS => {
                        page.check(&header)?;
                        page.cut(&header, &data.levels, rows as usize)?
                    }
                    (PLAIN_DICTIONARY | RLE_DICTIONARY, Dictionary::Long(dictionary)) => {
                        Some(page.of_dictionary(dictionary, rows as usize)?)
                    }
                    _ => None,
                };
                self.next = match cut {
                    Some(cut) => Next::Pieces(Box::new(cut)),
                    None => Next::Page { page, rows },
                };
            }
            (None, Some(values)) => {
                let count = usize::try_from(values);
                let count = count.map_err(|_| self.broken("a dictionary of less than nothing"))?;
                if !matches!(self.dictionary, Dictionary::None) {
                    return Err(self.broken("a second dictionary"));
                }
                self.dictionary = if bytes <= self.long {
                    Dictionary::Page(page.whole()?)
                } else {
                    // Pages are read in between, through a file of their own.
                    let file = Arc::new(File::open(&self.path)?);
                    let page = StoredPage { file, ..page };
                    page.check(&header)?;
                    let dictionary = page.dictionary(&header, count, self.long)?;
                    Dictionary::Long(Arc::new(Mutex::new(dictionary)))
                };
            }
            (None, None) => {}
        }
        Ok(())
    }

    /// Returns the rows of a page, which are no more than the chunk still has.
    fn rows_of(&self, data: &Data) -> Result<u64> {
        let left = self.column.num_values() - self.row as i64;
        match data.values {
            rows if (0..=left).contains(&rows) => Ok(rows as u64),
            rows => Err(self.broken(&format!("a page of {rows} rows where {left} are left"))),
        }
    }

    fn broken(&self, found: &str) -> ParquetError {
        let name = self.column.column_path().string();
        ParquetError::General(format!("column `{name}`: {found}"))
    }
}

/// Tells whether a page of this encoding is cut, where it is long.
fn is_cut(encoding: Encoding) -> bool {
    use Encoding::{PLAIN, PLAIN_DICTIONARY, RLE, RLE_DICTIONARY};
    #[expect(deprecated, reason = "writers of old name it, for levels")]
    let of_levels = [RLE, Encoding::BIT_PACKED];
    [PLAIN, PLAIN_DICTIONARY, RLE_DICTIONARY].contains(&encoding) || of_levels.contains(&encoding)
}

/// Returns the first stretch that is not behind a row.
fn wanted_from(wanted: &[Range<u64>], row: u64) -> Option<&Range<u64>> {
    wanted.get(wanted.partition_point(|stretch| stretch.end <= row))
}
