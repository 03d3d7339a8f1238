//! A dictionary that is longer than memory is to hold at once.

use datafusion::parquet::errors::{ParquetError, Result};

use super::values::{PREFIX, Values};

/// Begins anew at the first value.
pub(super) type Open = Box<dyn Fn() -> Result<Values> + Send>;

/// How often a dictionary is begun anew before twice as much of it is kept.
const PATIENCE: usize = 4;

/// The values of a dictionary's page, read in their order; one from before is read from the beginning again, unless it is
/// kept.
///
/// Writers number values as they come, so that the places of a page's rows ascend but for what repeats. Where much does,
/// more and more is kept, as much as the whole page in the end.
pub(super) struct LongDictionary {
    open: Open,
    values: Values,
    count: usize,
    /// The value that the reader is at.
    at: usize,
    /// The values that were passed at least once.
    seen: Vec<Seen>,
    /// Some of them, end to end, each behind its length.
    kept: Vec<u8>,
    /// Bytes of what is kept, at most; a value of more than an eighth is not.
    most: usize,
    restarts: usize,
}

/// A value that was passed.
struct Seen {
    length: usize,
    /// Where it begins in what is kept.
    kept: Option<usize>,
}

impl LongDictionary {
    /// Opens a dictionary of so many values; keeps at most so many bytes of them.
    pub(super) fn try_new(open: Open, count: usize, most: usize) -> Result<Self> {
        Ok(Self {
            values: open()?,
            open,
            count,
            at: 0,
            seen: Vec::new(),
            kept: Vec::new(),
            most,
            restarts: 0,
        })
    }

    /// Returns the length of a value.
    pub(super) fn length(&mut self, place: usize) -> Result<usize> {
        if let Some(seen) = self.seen.get(place) {
            return Ok(seen.length);
        }
        self.go_to(place)?;
        self.values.length()
    }

    /// Puts a value behind others, its length before it.
    pub(super) fn append(&mut self, place: usize, values: &mut Vec<u8>) -> Result<()> {
        if self.kept(place).is_none() {
            self.go_to(place)?;
            if !self.is_to_be_kept()? {
                self.see(None)?;
                self.at += 1;
                return self.values.append(values);
            }
            self.pass()?;
        }
        values.extend_from_slice(self.kept(place).unwrap_or(&[]));
        Ok(())
    }

    /// Returns a value that is kept, its length before it.
    fn kept(&self, place: usize) -> Option<&[u8]> {
        let seen = self.seen.get(place)?;
        let start = seen.kept?;
        Some(&self.kept[start..start + PREFIX + seen.length])
    }

    /// Tells whether the next value, which is not kept yet, is to be.
    fn is_to_be_kept(&mut self) -> Result<bool> {
        let length = self.values.length()?;
        Ok(length <= self.most / 8 && self.kept.len() + length <= self.most)
    }

    /// Notes the next value.
    fn see(&mut self, kept: Option<usize>) -> Result<()> {
        let length = self.values.length()?;
        let seen = Seen { length, kept };
        match self.seen.get_mut(self.at) {
            Some(before) => *before = seen,
            None => self.seen.push(seen),
        }
        Ok(())
    }

    /// Passes over the next value.
    fn pass(&mut self) -> Result<()> {
        if self.kept(self.at).is_some() {
            self.values.skip()?;
        } else if self.is_to_be_kept()? {
            self.see(Some(self.kept.len()))?;
            self.values.append(&mut self.kept)?;
        } else {
            self.see(None)?;
            self.values.skip()?;
        }
        self.at += 1;
        Ok(())
    }

    /// Goes to where a value begins.
    fn go_to(&mut self, place: usize) -> Result<()> {
        if place >= self.count {
            let count = self.count;
            let message =
                format!("expected a place in a dictionary of {count} values, found {place}");
            return Err(ParquetError::General(message));
        }
        if place < self.at {
            self.values = (self.open)()?;
            self.at = 0;
            self.restarts += 1;
            if self.restarts.is_multiple_of(PATIENCE) {
                self.most = self.most.saturating_mul(2);
            }
        }
        while self.at < place {
            self.pass()?;
        }
        Ok(())
    }
}
