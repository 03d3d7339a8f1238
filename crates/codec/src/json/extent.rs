//! Where the value at the beginning of a text ends, whatever columns there are.

use super::cursor::Cursor;

/// How much of a text its first value is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Extent {
    /// So many bytes, with white space before.
    Is(usize),
    /// More than the text.
    Cut,
    /// It is no JSON.
    Not,
}

/// Bytes that a literal, an escape or a pair of surrogates takes at most.
const LONGEST_SIGN: usize = 16;

/// Returns how much of a text its first value is; the text ends where a line does, so that it cuts no sign.
pub(super) fn extent_of(text: &str, scratch: &mut String) -> Extent {
    let mut cursor = Cursor::new(text);
    match cursor.skip(scratch) {
        Ok(()) => Extent::Is(cursor.at()),
        Err(_) if cursor.at() >= text.len() => Extent::Cut,
        Err(_) => Extent::Not,
    }
}

/// Tells whether bytes that may end anywhere can be the beginning of a value.
pub(super) fn is_cut(bytes: &[u8], scratch: &mut String) -> bool {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) if error.error_len().is_some() => return false,
        Err(error) => {
            let whole = &bytes[..error.valid_up_to()];
            std::str::from_utf8(whole).expect("the part that is UTF-8")
        }
    };
    let mut cursor = Cursor::new(text);
    cursor.skip(scratch).is_err() && cursor.at() + LONGEST_SIGN >= text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_ends_or_is_cut_or_is_none() {
        let cases = [
            (r#" {"a":[1,{}]} x"#, Extent::Is(13)),
            (r#"{"a":"#, Extent::Cut),
            (r#"{"a":1,"#, Extent::Cut),
            (r#"{"a":[{}"#, Extent::Cut),
            (r#"{"a":nul}"#, Extent::Not),
            (r#"{"a":1 "b""#, Extent::Not),
            ("{\"a\":\"\n", Extent::Not),
        ];
        for (text, expected) in cases {
            assert_eq!(extent_of(text, &mut String::new()), expected, "{text}");
        }
    }

    #[test]
    fn bytes_that_end_within_a_sign_are_cut() {
        let whole = "{\"a\": [true, \"é\\ud842\\udfb7\", null, -1.5e3]}".as_bytes();
        for end in 1..whole.len() {
            assert!(is_cut(&whole[..end], &mut String::new()), "{end}");
        }
        let wrong = [br#"{"a" 1, "b": ""#.as_slice(), &[b'x'; 20]].concat();
        assert!(!is_cut(&wrong, &mut String::new()));
    }
}
