//! A CSV file, read batch by batch, and record by record where one can't be read.

use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader};

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::compute::concat_batches;
use datafusion::common::{DataFusionError, Result};

use super::csv::{Csv, Decoder, Record};
use super::{AT_ONCE, Limits};
use crate::input::Read;

/// Records without an end that are looked for, at most.
pub(super) const MOST_UNCLOSED: usize = 16;

/// Reads a CSV file.
pub(crate) struct CsvLines {
    input: BufReader<Box<dyn io::Read + Send>>,
    format: Csv,
    limits: Limits,
    decoder: Decoder,
    /// The bytes of the batch under way, from which its lines are decoded one by one where they can't be together.
    bytes: Vec<u8>,
    /// Of these, those since the last row that is known to have ended.
    of_line: usize,
    ready: VecDeque<Read>,
    /// Whether the first line, which may be a header, is still to come.
    is_first: bool,
    /// Whether nothing is left of the file.
    is_at_end: bool,
    /// Why the file can't be read on.
    failure: Option<DataFusionError>,
}

/// How far a batch is.
enum Filled {
    /// There is more of it.
    Partly,
    Whole,
    /// The decoder refuses a line of it.
    Refused,
}

impl CsvLines {
    pub(super) fn new(input: Box<dyn io::Read + Send>, format: Csv, limits: Limits) -> Self {
        Self {
            input: BufReader::with_capacity(AT_ONCE, input),
            decoder: format.decoder(limits.rows, format.has_header()),
            format,
            limits,
            bytes: Vec::new(),
            of_line: 0,
            ready: VecDeque::new(),
            is_first: true,
            is_at_end: false,
            failure: None,
        }
    }

    /// Makes the next batch ready, but for a line that is longer than a batch: of that it returns how long it may be.
    pub(super) fn long_line(&mut self) -> Result<usize> {
        let most = self.limits.bytes;
        self.prepare(|lines| lines.of_line > most)?;
        Ok(match self.ready.is_empty() && self.of_line > most {
            true => self.limits.line,
            false => 0,
        })
    }

    /// Makes the next batch ready, unless it is to stop before; nothing is ready where the file has ended.
    fn prepare(&mut self, stop: impl Fn(&Self) -> bool) -> Result<()> {
        while self.ready.is_empty() && !self.is_at_end {
            if stop(self) {
                return Ok(());
            }
            let filled = self.fill().inspect_err(|_| self.is_at_end = true)?;
            let decoded = match filled {
                Filled::Partly => continue,
                Filled::Whole => self.decoder.flush().ok(),
                Filled::Refused => None,
            };
            match decoded {
                Some(rows) => self.ready.extend(rows.map(Read::Rows)),
                None => self
                    .read_one_by_one()
                    .inspect_err(|_| self.is_at_end = true)?,
            }
            self.is_first = false;
            self.bytes.clear();
            self.bytes.shrink_to(self.limits.bytes.saturating_mul(2));
            self.of_line = 0;
        }
        Ok(())
    }

    /// Fills the input's buffer where it is empty; returns how many bytes are in it. What was read before an error is used.
    fn look_ahead(&mut self) -> usize {
        if self.is_at_end {
            return 0;
        }
        let found = match self.input.fill_buf() {
            Ok(found) => found.len(),
            Err(error) => {
                self.failure = Some(error.into());
                0
            }
        };
        self.is_at_end = found == 0;
        found
    }

    /// Decodes some bytes: a batch is whole where it has enough rows or bytes, or the file ends.
    fn fill(&mut self) -> Result<Filled> {
        let limits = self.limits;
        let is_long = self.bytes.len() >= limits.bytes;
        let room = limits.bytes.saturating_sub(self.bytes.len());
        let start = self.bytes.len();
        self.look_ahead();
        let found = self.input.buffer();
        // Above the limit, line by line: a batch ends where a row does, and a line ends at most one.
        let line_end = is_long.then(|| self.format.line_end(found)).flatten();
        let taken = match line_end {
            Some(at) => at + 1,
            None if is_long => found.len(),
            None => found.len().min(room),
        };
        let before = self.decoder.rows();
        // No bytes: the decoder is told that the file ends.
        let decoded = self.decoder.decode(&found[..taken]);
        let used = *decoded.as_ref().unwrap_or(&taken);
        self.bytes.extend_from_slice(&found[..used]);
        self.input.consume(used);
        if decoded.is_err() {
            return Ok(Filled::Refused);
        }
        let rows = self.decoder.rows();
        let is_blank = self.of_line == 0 && self.bytes[start..].trim_ascii().is_empty();
        self.of_line = match rows > before || is_blank {
            true => 0,
            false => self.of_line + used,
        };
        if self.of_line > limits.line {
            return Err(limits.too_long());
        }
        let ends_row = line_end.is_some() && rows > before;
        Ok(match used == 0 || rows >= limits.rows || ends_row {
            true => Filled::Whole,
            false => Filled::Partly,
        })
    }

    /// Decodes the records of a batch one by one, where they can't be together: those that can be are rows.
    ///
    /// Where a record begins and ends does not depend on the columns that are read.
    fn read_one_by_one(&mut self) -> Result<()> {
        self.end_line()?;
        let mut is_header = self.is_first && self.format.has_header();
        let mut rows = Vec::new();
        let (mut start, mut unclosed) = (0, 0);
        while start < self.bytes.len() {
            let bytes = &self.bytes[start..];
            let line = self.format.first_line(bytes).len();
            match self.format.record(bytes, self.is_at_end) {
                Record::None(length) => start += length,
                Record::Is(length) if is_header => {
                    is_header = false;
                    start += length;
                }
                Record::Is(length) => {
                    match self.row(&bytes[..length])? {
                        Ok(row) => rows.extend(row),
                        Err(error) => self.add_bad(&mut rows, error)?,
                    }
                    start += length;
                }
                Record::GoesOn if !self.is_at_end && bytes.len() <= self.limits.line => {
                    // As much again, so that a long one is not looked at for every line of it.
                    let enough = self.bytes.len() + AT_ONCE.max(bytes.len());
                    while self.bytes.len() < enough && !self.is_at_end {
                        let found = self.look_ahead();
                        self.bytes.extend_from_slice(&self.input.buffer()[..found]);
                        self.input.consume(found);
                    }
                    self.end_line()?;
                }
                // What the failure has cut off is part of what can't be read.
                Record::GoesOn if self.failure.is_some() => break,
                Record::GoesOn => {
                    unclosed += 1;
                    let error = DataFusionError::Execution("a record that does not end".to_owned());
                    self.add_bad(&mut rows, error)?;
                    // Each is looked for until the end: after some of them the rest is one.
                    start = match unclosed > MOST_UNCLOSED {
                        true => self.bytes.len(),
                        false => start + line,
                    };
                }
            }
        }
        self.add(&mut rows)?;
        self.decoder = self.format.decoder(self.limits.rows, false);
        Ok(())
    }

    /// Decodes one record; the inner error is the row's.
    fn row(&self, record: &[u8]) -> Result<Result<Option<RecordBatch>>> {
        let mut decoder = self.format.decoder(1, false);
        // No bytes: the decoder is told that the file ends, and the last record with it.
        for bytes in [record, &[]] {
            match decoder.decode(bytes) {
                Ok(read) if bytes[read..].trim_ascii().is_empty() => {}
                Ok(_) => {
                    let message = "expected one record in the line, found more".to_owned();
                    return Ok(Err(DataFusionError::Execution(message)));
                }
                Err(error) => return Ok(Err(without_line(error))),
            }
            if decoder.rows() > 0 {
                break;
            }
        }
        Ok(decoder.flush().map_err(without_line))
    }

    /// Adds a row that can't be read, behind those before it.
    fn add_bad(&mut self, rows: &mut Vec<RecordBatch>, error: DataFusionError) -> Result<()> {
        self.add(rows)?;
        self.ready.push_back(Read::CorruptRow(error));
        Ok(())
    }

    /// Adds rows to what is ready.
    fn add(&mut self, rows: &mut Vec<RecordBatch>) -> Result<()> {
        if let Some(first) = rows.first() {
            let batch = concat_batches(&first.schema(), rows.iter())?;
            self.ready.push_back(Read::Rows(batch));
            rows.clear();
        }
        Ok(())
    }

    /// Reads what is left of the line that the batch ends within.
    fn end_line(&mut self) -> Result<()> {
        let most = self.bytes.len().saturating_add(self.limits.line);
        loop {
            let last = self.bytes.len().saturating_sub(1);
            if self.look_ahead() == 0 || self.format.line_end(&self.bytes[last..]).is_some() {
                return Ok(());
            }
            let found = self.input.buffer();
            let taken = self.format.first_line(found).len();
            self.bytes.extend_from_slice(&found[..taken]);
            self.input.consume(taken);
            if self.bytes.len() > most {
                return Err(self.limits.too_long());
            }
        }
    }
}

impl Iterator for CsvLines {
    type Item = Result<Read>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Err(error) = self.prepare(|_| false) {
            return Some(Err(error));
        }
        match self.ready.pop_front() {
            Some(read) => Some(Ok(read)),
            None => self.failure.take().map(Err),
        }
    }
}

/// Takes the number of the line out of an error of Arrow's: its decoder has seen one record alone.
fn without_line(error: DataFusionError) -> DataFusionError {
    let message = error.strip_backtrace();
    for (before, behind) in [(" at line ", ". Row data"), (" for line ", ", expected")] {
        if let Some((head, rest)) = message.split_once(before)
            && let Some((line, tail)) = rest.split_once(behind)
            && line.parse::<usize>().is_ok()
        {
            return DataFusionError::Execution(format!("{head}{behind}{tail}"));
        }
    }
    error
}
