//! Why bytes are no rows, or rows no bytes.

/// Why a format refuses a schema, a message or a row.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    /// No format has the name.
    #[error("no format `{found}`; there are {known}")]
    Unknown {
        /// The name.
        found: String,
        /// The names that there are.
        known: String,
    },
    /// An option's value is none that the format knows.
    #[error("option `{option}`: expected {expected}, found `{found}`")]
    Option {
        /// Its key.
        option: String,
        /// What it may be.
        expected: String,
        /// What it is.
        found: String,
    },
    /// The format can't hold columns such as these.
    #[error("format `{format}`: expected {expected}, found {found}")]
    Schema {
        /// The format.
        format: &'static str,
        /// What it holds.
        expected: String,
        /// What the table has.
        found: String,
    },
    /// A message can't be read.
    #[error("expected {expected}, found {found}")]
    Message {
        /// What was expected, and where in the message.
        expected: String,
        /// What is there.
        found: String,
    },
    /// A row can't be written.
    #[error("can't be written as {format}: {reason}")]
    Row {
        /// The format.
        format: &'static str,
        /// Why.
        reason: String,
    },
}

impl CodecError {
    /// Returns the error of a message in which `found` stands where `expected` should.
    pub fn message(expected: impl Into<String>, found: impl Into<String>) -> Self {
        CodecError::Message {
            expected: expected.into(),
            found: found.into(),
        }
    }

    /// Returns the error as that of a record of a file, which is no message.
    pub(super) fn of_record(mut self) -> Self {
        if let CodecError::Message { found, .. } = &mut self
            && found == END
        {
            *found = "the end of the record".to_owned();
        }
        self
    }
}

/// What is found where text is missing.
const END: &str = "the end of the message";

/// How many characters of a message an error shows.
const SHOWN: usize = 60;

/// Returns the beginning of `text` in backticks, its control characters as escapes; no text is the end of the message.
pub(super) fn excerpt(text: &str) -> String {
    if text.is_empty() {
        return END.to_owned();
    }
    let mut shown = String::from("`");
    for (place, char) in text.chars().enumerate() {
        if place == SHOWN {
            shown.push('…');
            break;
        }
        match char.is_control() {
            true => shown.extend(char.escape_default()),
            false => shown.push(char),
        }
    }
    shown.push('`');
    shown
}

/// Returns a message as text, or what is no UTF-8 in it.
pub(super) fn text(message: &[u8]) -> Result<&str, CodecError> {
    std::str::from_utf8(message).map_err(|error| {
        let place = error.valid_up_to();
        let byte = message[place];
        CodecError::message(format!("UTF-8 at byte {place}"), format!("0x{byte:02x}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_is_short_and_commands_no_terminal() {
        assert_eq!(excerpt("a\u{1b}[2J\n"), r"`a\u{1b}[2J\n`");
        assert_eq!(excerpt(&"ä".repeat(61)), format!("`{}…`", "ä".repeat(60)));
        assert_eq!(excerpt(""), "the end of the message");
    }

    #[test]
    fn a_byte_that_is_no_utf8_is_named_with_its_place() {
        let error = text(b"ab\xffc").expect_err("refused").to_string();
        assert_eq!(error, "expected UTF-8 at byte 2, found 0xff");
    }
}
