//! A page of texts, read piece by piece.

use std::sync::{Arc, Mutex, PoisonError};

use datafusion::parquet::basic::Encoding;
use datafusion::parquet::column::page::Page;
use datafusion::parquet::errors::Result;

use super::hybrid;
use super::long_dictionary::LongDictionary;
use super::values::{PREFIX, Values};

/// A page of texts.
pub(super) struct LongPage {
    texts: Texts,
    /// Whether each row has a value; none where all have.
    levels: Option<Vec<bool>>,
    rows: usize,
    /// The next row.
    row: usize,
}

/// Where the texts of a page are.
pub(super) enum Texts {
    /// In the page.
    InPage(Values),
    /// In a dictionary, at these places, the last one first.
    InDictionary(Arc<Mutex<LongDictionary>>, Vec<u32>),
}

impl Texts {
    fn length(&mut self) -> Result<usize> {
        match self {
            Self::InPage(values) => values.length(),
            Self::InDictionary(dictionary, places) => {
                // There are as many as values: see where they are read.
                let place = places.last().map_or(0, |place| *place as usize);
                lock(dictionary).length(place)
            }
        }
    }

    fn append(&mut self, values: &mut Vec<u8>) -> Result<()> {
        match self {
            Self::InPage(texts) => texts.append(values),
            Self::InDictionary(dictionary, places) => {
                let place = places.pop().map_or(0, |place| place as usize);
                lock(dictionary).append(place, values)
            }
        }
    }

    fn skip(&mut self) -> Result<()> {
        match self {
            Self::InPage(values) => values.skip(),
            Self::InDictionary(_, places) => {
                places.pop();
                Ok(())
            }
        }
    }
}

fn lock(dictionary: &Mutex<LongDictionary>) -> std::sync::MutexGuard<'_, LongDictionary> {
    dictionary.lock().unwrap_or_else(PoisonError::into_inner)
}

impl LongPage {
    pub(super) fn new(texts: Texts, levels: Option<Vec<bool>>, rows: usize) -> Self {
        Self {
            texts,
            levels,
            rows,
            row: 0,
        }
    }

    /// Returns how many rows are still to come.
    pub(super) fn rows_left(&self) -> usize {
        self.rows - self.row
    }

    /// Returns the bytes of the next row's value; a NULL has none.
    pub(super) fn next_bytes(&mut self) -> Result<usize> {
        match self.row < self.rows && self.is_there(self.row) {
            true => self.texts.length(),
            false => Ok(0),
        }
    }

    /// Passes over rows.
    pub(super) fn skip(&mut self, rows: usize) -> Result<()> {
        for _ in 0..rows.min(self.rows_left()) {
            if self.is_there(self.row) {
                self.texts.skip()?;
            }
            self.row += 1;
        }
        Ok(())
    }

    /// Returns the next rows as a page of their own: at most so many, and of at most so many bytes; a row with a longer
    /// value is alone.
    pub(super) fn piece(&mut self, most_rows: usize, most_bytes: usize) -> Result<Page> {
        if self.next_bytes()? > most_bytes {
            let mut piece = self
                .levels
                .as_ref()
                .map_or(vec![], |_| hybrid::encode(&[true]));
            let levels_bytes = piece.len();
            self.texts.append(&mut piece)?;
            self.row += 1;
            return Ok(page(piece, levels_bytes, 1, 0));
        }
        let first = self.row;
        let end = first + most_rows.min(self.rows_left());
        let (mut values, mut nulls) = (Vec::new(), 0);
        while self.row < end {
            if self.is_there(self.row) {
                let bytes = PREFIX + self.texts.length()?;
                if self.row > first && values.len() + bytes > most_bytes {
                    break;
                }
                self.texts.append(&mut values)?;
            } else {
                nulls += 1;
            }
            self.row += 1;
        }
        let levels = self
            .levels
            .as_ref()
            .map(|all| hybrid::encode(&all[first..self.row]));
        let levels = levels.unwrap_or_default();
        let rows = self.row - first;
        Ok(page(
            [levels.as_slice(), &values].concat(),
            levels.len(),
            rows,
            nulls,
        ))
    }

    fn is_there(&self, row: usize) -> bool {
        self.levels.as_ref().is_none_or(|levels| levels[row])
    }
}

fn page(bytes: Vec<u8>, levels_bytes: usize, rows: usize, nulls: u32) -> Page {
    Page::DataPageV2 {
        buf: bytes.into(),
        num_values: rows as u32,
        encoding: Encoding::PLAIN,
        num_nulls: nulls,
        num_rows: rows as u32,
        def_levels_byte_len: levels_bytes as u32,
        rep_levels_byte_len: 0,
        is_compressed: false,
        statistics: None,
    }
}
