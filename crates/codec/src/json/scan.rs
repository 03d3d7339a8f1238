//! Where an object ends by its braces and quotes, in bytes that come piece by piece.

/// Bytes after which what is scanned is looked at more closely, and then again each time it has doubled.
const FIRST_PROBE: usize = 1 << 16;

/// How far an object is scanned.
#[derive(Debug)]
pub(super) struct Scan {
    at: usize,
    depth: usize,
    in_text: bool,
    probe: usize,
}

impl Default for Scan {
    fn default() -> Self {
        Scan {
            at: 0,
            depth: 0,
            in_text: false,
            probe: FIRST_PROBE,
        }
    }
}

/// What a scan found.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Scanned {
    /// The object is of so many bytes.
    Object(usize),
    /// In so many bytes there is a line end in a text, or what is no object.
    NoJson(usize),
    /// The object does not end in these bytes.
    Open,
}

impl Scan {
    /// Goes on in bytes that begin as those before, with more behind them.
    pub(super) fn advance(&mut self, bytes: &[u8]) -> Scanned {
        if self.at == 0 && bytes.first().is_some_and(|byte| *byte != b'{') {
            let line = memchr::memchr(b'\n', bytes);
            return Scanned::NoJson(line.unwrap_or(bytes.len()));
        }
        while self.at < bytes.len() {
            let rest = &bytes[self.at..];
            let found = match self.in_text {
                true => memchr::memchr3(b'"', b'\\', b'\n', rest),
                false => memchr::memchr3(b'"', b'{', b'}', rest),
            };
            let Some(len) = found else {
                self.at = bytes.len();
                break;
            };
            self.at += len + 1;
            match (rest[len], self.in_text) {
                (b'"', _) => self.in_text = !self.in_text,
                (b'\\', _) if self.at < bytes.len() => self.at += 1,
                // What it escapes is still to come.
                (b'\\', _) => {
                    self.at -= 1;
                    break;
                }
                (b'{', _) => self.depth += 1,
                (b'}', _) => {
                    self.depth -= 1;
                    if self.depth == 0 {
                        return Scanned::Object(self.at);
                    }
                }
                _ => return Scanned::NoJson(self.at),
            }
        }
        Scanned::Open
    }

    /// Tells whether so much is scanned that it should be looked at whether it is JSON at all.
    pub(super) fn is_to_be_probed(&mut self) -> bool {
        let is_due = self.at >= self.probe;
        if is_due {
            self.probe = self.at * 2;
        }
        is_due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_ends_with_its_last_brace() {
        let cases = [
            (r#"{"a":{}}{"b"#, Scanned::Object(8)),
            (r#"{"}\"}":[{}]} "#, Scanned::Object(13)),
            (r#"{"a\\":{}"#, Scanned::Open),
            ("{\"a\n\"}", Scanned::NoJson(4)),
            ("x}\n", Scanned::NoJson(2)),
        ];
        for (text, expected) in cases {
            let bytes = text.as_bytes();
            assert_eq!(Scan::default().advance(bytes), expected, "{text}");
            let mut scan = Scan::default();
            let found = (1..=bytes.len()).map(|len| scan.advance(&bytes[..len]));
            let first = found.into_iter().find(|found| *found != Scanned::Open);
            if !matches!(expected, Scanned::NoJson(2)) {
                assert_eq!(first.unwrap_or(Scanned::Open), expected, "{text}");
            }
        }
    }
}
