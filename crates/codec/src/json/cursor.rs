//! A place in the text of a message: what JSON has there, by RFC 8259 and no other rule.

use super::problem::Problem;
use crate::columns::Scalar;
use crate::error::excerpt;

/// A place in a text.
#[derive(Debug)]
pub(super) struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

type Result<T> = std::result::Result<T, Problem>;

impl<'a> Cursor<'a> {
    /// Returns the beginning of a text.
    pub(super) fn new(text: &'a str) -> Self {
        Cursor { text, at: 0 }
    }

    /// Passes white space, and returns the byte that follows.
    pub(super) fn peek(&mut self) -> Option<u8> {
        let rest = &self.text.as_bytes()[self.at..];
        if let Some(byte) = rest.first().filter(|byte| **byte > b' ') {
            return Some(*byte);
        }
        let white = |byte: &u8| matches!(byte, b' ' | b'\n' | b'\r' | b'\t');
        let first = rest.iter().position(|byte| !white(byte));
        self.at += first.unwrap_or(rest.len());
        self.text.as_bytes().get(self.at).copied()
    }

    /// Passes white space and `byte`, if that follows.
    pub(super) fn pass(&mut self, byte: u8) -> bool {
        let follows = self.peek() == Some(byte);
        self.at += usize::from(follows);
        follows
    }

    /// Returns where the cursor is.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// Returns the beginning of what stands at a place.
    pub(super) fn found(&self, at: usize) -> String {
        excerpt(self.text.get(at..).unwrap_or_default())
    }

    /// Returns the error of a place where something else should be.
    pub(super) fn expected(&self, what: &str) -> Problem {
        Problem::syntax(format!("{what} at byte {}", self.at), self.found(self.at))
    }

    /// Passes one of the two: the comma between members of an object or a list, or its end; tells whether it goes on.
    pub(super) fn goes_on(&mut self, end: u8) -> Result<bool> {
        match self.peek() {
            Some(b',') => {
                self.at += 1;
                Ok(true)
            }
            Some(byte) if byte == end => {
                self.at += 1;
                Ok(false)
            }
            _ => Err(self.expected(&format!("`,` or `{}`", char::from(end)))),
        }
    }

    /// Passes the name of a member and its colon; `scratch` is room for a name with escapes.
    pub(super) fn name<'s>(&mut self, scratch: &'s mut String) -> Result<&'s str>
    where
        'a: 's,
    {
        if self.peek() != Some(b'"') {
            return Err(self.expected("a field's name in quotes"));
        }
        let name = self.string(scratch)?;
        match self.pass(b':') {
            true => Ok(name),
            false => Err(self.expected("`:`")),
        }
    }

    /// Passes `null`, if that follows.
    pub(super) fn null(&mut self) -> Result<bool> {
        if self.peek() != Some(b'n') {
            return Ok(false);
        }
        self.literal("null")?;
        Ok(true)
    }

    /// Passes a value other than `null`, or stays before an object or a list; `scratch` is room for a text with escapes.
    pub(super) fn scalar<'s>(&mut self, scratch: &'s mut String) -> Result<Scalar<'s>>
    where
        'a: 's,
    {
        Ok(match self.peek() {
            Some(b'"') => Scalar::Text(self.string(scratch)?),
            Some(b'-' | b'0'..=b'9') => Scalar::Number(self.number()?),
            Some(b't') => {
                self.literal("true")?;
                Scalar::Boolean(true)
            }
            Some(b'f') => {
                self.literal("false")?;
                Scalar::Boolean(false)
            }
            Some(b'{' | b'[') => Scalar::Nested,
            _ => return Err(self.expected("a value")),
        })
    }

    /// Passes a value, whatever it is and however deep, without recursion.
    pub(super) fn skip(&mut self, scratch: &mut String) -> Result<()> {
        let mut open = Vec::new();
        loop {
            // A value starts here.
            if !self.null()? && matches!(self.scalar(scratch)?, Scalar::Nested) {
                let end = if self.pass(b'{') { b'}' } else { b']' };
                if end == b']' {
                    self.pass(b'[');
                }
                if !self.pass(end) {
                    open.push(end);
                    if end == b'}' {
                        self.name(scratch)?;
                    }
                    continue;
                }
            }
            // A value ended here, and with it perhaps those around it.
            loop {
                let Some(end) = open.last().copied() else {
                    return Ok(());
                };
                if self.goes_on(end)? {
                    if end == b'}' {
                        self.name(scratch)?;
                    }
                    break;
                }
                open.pop();
            }
        }
    }

    /// Passes white space up to the end of the text.
    pub(super) fn end(&mut self) -> Result<()> {
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(self.expected("one object a message, and its end")),
        }
    }

    fn literal(&mut self, literal: &str) -> Result<()> {
        if !self.text.as_bytes()[self.at..].starts_with(literal.as_bytes()) {
            return Err(self.expected(&format!("`{literal}`")));
        }
        self.at += literal.len();
        Ok(())
    }

    fn digits(&mut self) -> Result<()> {
        let rest = &self.text.as_bytes()[self.at..];
        let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if count == 0 {
            return Err(self.expected("a digit"));
        }
        self.at += count;
        Ok(())
    }

    fn follows(&self, bytes: &[u8]) -> bool {
        let next = self.text.as_bytes().get(self.at);
        next.is_some_and(|next| bytes.contains(next))
    }

    fn number(&mut self) -> Result<&'a str> {
        let start = self.at;
        self.at += usize::from(self.follows(b"-"));
        // No digit follows a zero at the beginning.
        match self.follows(b"0") {
            true => self.at += 1,
            false => self.digits()?,
        }
        if self.follows(b".") {
            self.at += 1;
            self.digits()?;
        }
        if self.follows(b"eE") {
            self.at += 1;
            self.at += usize::from(self.follows(b"+-"));
            self.digits()?;
        }
        Ok(&self.text[start..self.at])
    }

    /// Passes a text in quotes; one without escapes is a slice of the message.
    fn string<'s>(&mut self, scratch: &'s mut String) -> Result<&'s str>
    where
        'a: 's,
    {
        self.at += 1;
        let (first, quoted) = self.piece()?;
        if quoted {
            return Ok(first);
        }
        scratch.clear();
        scratch.push_str(first);
        loop {
            scratch.push(self.escaped()?);
            let (piece, quoted) = self.piece()?;
            scratch.push_str(piece);
            if quoted {
                return Ok(scratch);
            }
        }
    }

    /// Passes text up to a quote (true) or a backslash (false), and that.
    fn piece(&mut self) -> Result<(&'a str, bool)> {
        let text = self.text;
        let rest = &text.as_bytes()[self.at..];
        let found = memchr::memchr2(b'"', b'\\', rest);
        let len = found.unwrap_or(rest.len());
        let controls = |bytes: &[u8]| bytes.iter().fold(false, |any, byte| any | (*byte < b' '));
        if controls(&rest[..len]) {
            self.at += rest.iter().take_while(|byte| **byte >= b' ').count();
            return Err(self.expected("an escape instead of a control character"));
        }
        if found.is_none() {
            self.at = text.len();
            return Err(self.expected("the quote that ends the text"));
        }
        let piece = &text[self.at..self.at + len];
        self.at += len + 1;
        Ok((piece, rest[len] == b'"'))
    }

    /// Passes what follows a backslash.
    fn escaped(&mut self) -> Result<char> {
        let byte = self.text.as_bytes().get(self.at);
        let char = match byte {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode(),
            _ => return Err(self.expected("an escape of JSON")),
        };
        self.at += 1;
        Ok(char)
    }

    /// Passes `uXXXX`, or two of them that are the surrogates of one character.
    fn unicode(&mut self) -> Result<char> {
        let start = self.at;
        let lone = |cursor: &mut Self| {
            cursor.at = start - 1;
            cursor.expected("a pair of surrogates")
        };
        let high = self.hexadecimal()?;
        if let Some(char) = char::from_u32(high) {
            return Ok(char);
        }
        let rest = &self.text.as_bytes()[self.at..];
        if high >= 0xdc00 || !rest.starts_with(br"\u") {
            return Err(lone(self));
        }
        self.at += 1;
        let low = self.hexadecimal()?;
        if !(0xdc00..=0xdfff).contains(&low) {
            return Err(lone(self));
        }
        let char = char::from_u32(0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00));
        char.ok_or_else(|| lone(self))
    }

    fn hexadecimal(&mut self) -> Result<u32> {
        let digits = self.text.get(self.at + 1..self.at + 5);
        // `from_str_radix` takes a sign too.
        let digits = digits.filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let Some(code) = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok()) else {
            return Err(self.expected("`u` and four hexadecimal digits"));
        };
        self.at += 5;
        Ok(code)
    }
}
