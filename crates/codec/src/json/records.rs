//! Cuts the bytes of a file into JSON objects: one a line, one after the other, or in one array.
//!
//! A line that is one object is read at once. Everything else (an object of several lines, several in a line, the
//! elements of an array) is cut by its braces first, in one pass however the bytes arrive.

use super::cursor::Cursor;
use super::extent::{Extent, extent_of, is_cut};
use super::problem::Problem;
use super::scan::{Scan, Scanned};
use crate::CodecError;
use crate::error::{excerpt, text};

/// Bytes without a line end above which an object is looked for by its braces.
const LONG_LINE: usize = 1 << 20;

/// Bytes of which an error shows the beginning.
const SHOWN: usize = 256;

/// Objects without an end that are looked for up to the end of the file; the rest of the file is one more.
pub(super) const MOST_UNCLOSED: usize = 16;

/// What objects are read into.
pub(super) trait Target {
    /// Reads the object at the cursor.
    fn read(&mut self, cursor: &mut Cursor<'_>, scratch: &mut String) -> Result<(), Problem>;

    /// Takes away what an object that failed has left.
    fn undo(&mut self);
}

/// A record that can't be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedRecord {
    /// The line that the record begins in, from 1, counted from the first byte that was pushed.
    pub line: u64,
    /// What is wrong with it.
    pub error: CodecError,
}

/// What became of the next record.
#[derive(Debug)]
pub(super) enum Step {
    Read,
    Failed(FailedRecord),
    /// More bytes are needed.
    More,
    End,
}

/// How the objects of a file follow one another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layout {
    /// The file has not begun.
    Unknown,
    Lines,
    /// Within an array, before its first element or its end.
    First,
    /// Behind a comma.
    Element,
    /// Behind an element.
    Separator,
    /// Behind an array.
    Closed,
    /// Behind what is no JSON in an array: nothing more can be told.
    Broken,
}

/// The bytes of a file that are not read yet.
#[derive(Debug)]
pub(super) struct Records {
    buffer: Vec<u8>,
    /// Where the next record begins, or white space before it.
    at: usize,
    is_end: bool,
    line: u64,
    layout: Layout,
    /// How far the next record is scanned, where it is cut by its braces.
    scan: Option<Scan>,
    /// Bytes from `at` in which no line ends.
    without_line_end: usize,
    unclosed: usize,
    /// Bytes that records and white space took.
    taken: u64,
    scratch: String,
}

impl Records {
    pub(super) fn new() -> Self {
        Records {
            buffer: Vec::new(),
            at: 0,
            is_end: false,
            line: 1,
            layout: Layout::Unknown,
            scan: None,
            without_line_end: 0,
            unclosed: 0,
            taken: 0,
            scratch: String::new(),
        }
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.buffer.drain(..self.at);
        self.at = 0;
        self.buffer.extend_from_slice(bytes);
    }

    pub(super) fn finish(&mut self) {
        self.is_end = true;
    }

    /// Returns how many bytes wait for the rest of their record.
    pub(super) fn held(&self) -> usize {
        self.buffer.len() - self.at
    }

    pub(super) fn taken(&self) -> u64 {
        self.taken
    }

    /// Reads the next record.
    pub(super) fn step(&mut self, target: &mut impl Target) -> Step {
        loop {
            self.pass_white();
            let Some(first) = self.buffer.get(self.at).copied() else {
                return self.at_end();
            };
            match (self.layout, first) {
                (Layout::Unknown, 0xef) if self.held() < 3 && !self.is_end => return Step::More,
                (Layout::Unknown, _) if self.buffer[self.at..].starts_with(b"\xef\xbb\xbf") => {
                    self.pass(3);
                    self.layout = Layout::Lines;
                    self.pass_white();
                    match self.buffer.get(self.at) {
                        None if !self.is_end => self.layout = Layout::Unknown,
                        _ => self.begin(),
                    }
                }
                (Layout::Unknown, _) => self.begin(),
                (Layout::First | Layout::Separator, b']') => {
                    self.layout = Layout::Closed;
                    self.pass(1);
                }
                (Layout::Separator, b',') => {
                    self.layout = Layout::Element;
                    self.pass(1);
                }
                (Layout::Separator, _) => return self.broken("`,` or `]`"),
                (Layout::Closed, _) => return self.broken("the end of the file behind the array"),
                (Layout::Broken, _) => self.pass(self.held()),
                (Layout::First | Layout::Element, b'{') => return self.by_braces(target),
                (Layout::First | Layout::Element, _) => return self.broken("an object"),
                (Layout::Lines, _) if self.scan.is_some() => return self.by_braces(target),
                (Layout::Lines, _) => {
                    if let Some(step) = self.by_line(target) {
                        return step;
                    }
                }
            }
        }
    }

    /// Tells an array from objects.
    fn begin(&mut self) {
        self.layout = Layout::Lines;
        if self.buffer.get(self.at) == Some(&b'[') {
            self.layout = Layout::First;
            self.pass(1);
        }
    }

    fn at_end(&mut self) -> Step {
        if !self.is_end {
            return Step::More;
        }
        match self.layout {
            Layout::First | Layout::Element | Layout::Separator => {
                self.broken("the `]` that ends the array")
            }
            _ => Step::End,
        }
    }

    /// Reads the record of a line; none where it is to be cut by its braces.
    fn by_line(&mut self, target: &mut impl Target) -> Option<Step> {
        let rest = &self.buffer[self.at..];
        let found = memchr::memchr(b'\n', &rest[self.without_line_end..]);
        let len = match found {
            Some(at) => self.without_line_end + at,
            None if self.is_end => rest.len(),
            None if rest.len() > LONG_LINE => {
                self.cut_by_braces();
                return None;
            }
            None => {
                self.without_line_end = rest.len();
                return Some(Step::More);
            }
        };
        let bytes = &rest[..len];
        let line = match text(bytes) {
            Ok(line) => line,
            Err(error) => return Some(self.failed(error, len)),
        };
        let mut cursor = Cursor::new(line);
        match target.read(&mut cursor, &mut self.scratch) {
            Ok(()) => {
                let end = cursor.at();
                let is_whole = bytes[end..].trim_ascii().is_empty();
                self.pass(end);
                if !is_whole {
                    self.cut_by_braces();
                }
                Some(Step::Read)
            }
            Err(problem) => {
                target.undo();
                match extent_of(line, &mut self.scratch) {
                    Extent::Is(end) => Some(self.failed(problem.into(), end)),
                    Extent::Cut if found.is_some() => {
                        self.cut_by_braces();
                        None
                    }
                    Extent::Cut | Extent::Not => Some(self.failed(problem.into(), len)),
                }
            }
        }
    }

    fn cut_by_braces(&mut self) {
        self.scan = Some(Scan::default());
    }

    /// Reads a record that ends where its braces do.
    fn by_braces(&mut self, target: &mut impl Target) -> Step {
        let mut scan = self.scan.take().unwrap_or_default();
        let rest = &self.buffer[self.at..];
        let (bytes, is_whole) = match scan.advance(rest) {
            Scanned::Object(end) => (&rest[..end], true),
            Scanned::NoJson(end) => (&rest[..end], false),
            Scanned::Open if self.is_end => {
                self.unclosed += 1;
                (rest, false)
            }
            Scanned::Open if scan.is_to_be_probed() && !is_cut(rest, &mut self.scratch) => {
                (rest, false)
            }
            Scanned::Open => {
                self.scan = Some(scan);
                return Step::More;
            }
        };
        let end = bytes.len();
        let read = text(bytes).and_then(|record| {
            let mut cursor = Cursor::new(record);
            target.read(&mut cursor, &mut self.scratch)?;
            Ok(())
        });
        let error = match read {
            Ok(()) => {
                self.pass_lines(end);
                self.next_element();
                return Step::Read;
            }
            Err(error) => error,
        };
        target.undo();
        let is_json = is_whole
            && text(bytes).is_ok_and(|record| {
                matches!(extent_of(record, &mut self.scratch), Extent::Is(found) if found == end)
            });
        if is_json {
            let failed = self.failed(error, end);
            self.next_element();
            return failed;
        }
        if self.layout != Layout::Lines {
            self.layout = Layout::Broken;
            return self.failed(error, end);
        }
        let line = memchr::memchr(b'\n', bytes).unwrap_or(end);
        let rest_of_file = self.unclosed > MOST_UNCLOSED;
        self.failed(error, if rest_of_file { end } else { line })
    }

    fn next_element(&mut self) {
        if self.layout != Layout::Lines {
            self.layout = Layout::Separator;
        }
    }

    /// Returns the failure of a record of `len` bytes, and passes it.
    fn failed(&mut self, error: CodecError, len: usize) -> Step {
        let line = self.line;
        let error = error.of_record();
        self.pass_lines(len);
        Step::Failed(FailedRecord { line, error })
    }

    /// Returns the failure of an array in which something else stands here.
    fn broken(&mut self, expected: &str) -> Step {
        self.layout = Layout::Broken;
        let rest = &self.buffer[self.at..];
        let found = match String::from_utf8_lossy(&rest[..rest.len().min(SHOWN)]) {
            rest if rest.is_empty() => "the end of the file".to_owned(),
            rest => excerpt(&rest),
        };
        let len = rest.len();
        self.failed(CodecError::message(expected, found), len)
    }

    fn pass_white(&mut self) {
        let rest = &self.buffer[self.at..];
        let white = |byte: &u8| matches!(byte, b' ' | b'\n' | b'\r' | b'\t');
        let len = rest.iter().position(|byte| !white(byte));
        let len = len.unwrap_or(rest.len());
        if len > 0 {
            self.pass_lines(len);
        }
    }

    /// Passes bytes in which lines may end.
    fn pass_lines(&mut self, len: usize) {
        let passed = &self.buffer[self.at..self.at + len];
        self.line += memchr::memchr_iter(b'\n', passed).count() as u64;
        self.pass(len);
    }

    fn pass(&mut self, len: usize) {
        self.at += len;
        self.taken += len as u64;
        self.without_line_end = 0;
    }
}
