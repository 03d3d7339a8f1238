//! The fields of one record.

use crate::CodecError;
use crate::error::excerpt;

/// The signs that structure a record, all of them ASCII.
#[derive(Debug, Clone, Copy)]
pub(super) struct Signs {
    pub(super) delimiter: u8,
    pub(super) quote: u8,
    /// What stands before a quote within quotes; none where a quote is doubled.
    pub(super) escape: Option<u8>,
}

impl Signs {
    /// Tells whether a field must be written in quotes.
    pub(super) fn needs_quotes(self, text: &str) -> bool {
        let bytes = text.as_bytes();
        memchr::memchr3(self.delimiter, b'\n', b'\r', bytes).is_some()
            || memchr::memchr(self.quote, bytes).is_some()
    }

    /// Writes a field in quotes.
    pub(super) fn quote(self, text: &str, out: &mut Vec<u8>) {
        let before = self.escape.unwrap_or(self.quote);
        out.push(self.quote);
        let mut written = 0;
        for at in memchr::memchr2_iter(self.quote, before, text.as_bytes()) {
            out.extend_from_slice(&text.as_bytes()[written..at]);
            out.push(before);
            written = at;
        }
        out.extend_from_slice(&text.as_bytes()[written..]);
        out.push(self.quote);
    }
}

/// The fields of one record, end to end.
#[derive(Debug, Default)]
pub(super) struct Record {
    text: String,
    /// Where each field ends in the text, and whether it was in quotes.
    fields: Vec<(usize, bool)>,
}

impl Record {
    /// Returns how many fields there are.
    pub(super) fn len(&self) -> usize {
        self.fields.len()
    }

    /// Returns a field, and whether it was in quotes.
    pub(super) fn field(&self, place: usize) -> (&str, bool) {
        let start = if place == 0 {
            0
        } else {
            self.fields[place - 1].0
        };
        let (end, quoted) = self.fields[place];
        (&self.text[start..end], quoted)
    }

    /// Reads the record of a message; a line break may end it, and nothing follows.
    pub(super) fn read(&mut self, message: &str, signs: Signs) -> Result<(), CodecError> {
        self.text.clear();
        self.fields.clear();
        let bytes = message.as_bytes();
        let mut at = 0;
        loop {
            let quoted = bytes.get(at) == Some(&signs.quote);
            at = match quoted {
                true => self.quoted(message, at + 1, signs)?,
                false => self.bare(message, at, signs),
            };
            self.fields.push((self.text.len(), quoted));
            match bytes.get(at) {
                Some(byte) if *byte == signs.delimiter => at += 1,
                None => return Ok(()),
                Some(_) if matches!(&message[at..], "\n" | "\r\n") => return Ok(()),
                Some(b'\n' | b'\r') => {
                    return Err(expected("one record a message, and its end", message, at));
                }
                Some(_) => {
                    let sign = char::from(signs.delimiter);
                    let what = format!("`{sign}` or the end of the record after a quote");
                    return Err(expected(&what, message, at));
                }
            }
        }
    }

    /// Reads a field up to a delimiter or a line break, and returns where that is.
    fn bare(&mut self, message: &str, start: usize, signs: Signs) -> usize {
        let rest = &message.as_bytes()[start..];
        let len = memchr::memchr3(signs.delimiter, b'\n', b'\r', rest);
        let end = len.map_or(message.len(), |len| start + len);
        self.text.push_str(&message[start..end]);
        end
    }

    /// Reads a field up to the quote that ends it, and returns what follows that.
    fn quoted(
        &mut self,
        message: &str,
        mut start: usize,
        signs: Signs,
    ) -> Result<usize, CodecError> {
        let bytes = message.as_bytes();
        let before = signs.escape.unwrap_or(signs.quote);
        loop {
            let Some(len) = memchr::memchr2(signs.quote, before, &bytes[start..]) else {
                return Err(expected(
                    "the quote that ends the field",
                    message,
                    message.len(),
                ));
            };
            let at = start + len;
            self.text.push_str(&message[start..at]);
            let next = bytes.get(at + 1);
            let escaped = next.is_some_and(|next| *next == signs.quote || *next == before);
            if bytes[at] == before && escaped {
                self.text.push(char::from(bytes[at + 1]));
                start = at + 2;
            } else if bytes[at] == signs.quote {
                return Ok(at + 1);
            } else {
                self.text.push(char::from(before));
                start = at + 1;
            }
        }
    }
}

fn expected(what: &str, message: &str, at: usize) -> CodecError {
    CodecError::message(format!("{what} at byte {at}"), excerpt(&message[at..]))
}
