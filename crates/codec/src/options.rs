//! Options of formats: read and documented from one place.

use super::{CodecError, FormatOptions};

/// One option of a format.
#[derive(Debug, Clone, Copy)]
pub struct FormatOption {
    /// Its key.
    pub name: &'static str,
    /// What holds where it is left out.
    pub default: &'static str,
    /// What it does.
    pub description: &'static str,
}

pub(super) const CSV_DELIMITER: FormatOption = FormatOption {
    name: "csv.delimiter",
    default: ",",
    description: "What stands between two fields: one ASCII character, or `\\t`.",
};
pub(super) const CSV_ESCAPE: FormatOption = FormatOption {
    name: "csv.escape",
    default: "",
    description: "What stands before a quote within quotes, and before itself: one ASCII character. Left out, a quote is doubled.",
};
pub(super) const CSV_NULL: FormatOption = FormatOption {
    name: "csv.null",
    default: "",
    description: "The field without quotes that is NULL. A field in quotes never is.",
};
pub(super) const CSV_QUOTE: FormatOption = FormatOption {
    name: "csv.quote",
    default: "\"",
    description: "What stands around a field that holds a delimiter, a quote or a line break: one ASCII character.",
};
pub(super) const JSON_NULLS: FormatOption = FormatOption {
    name: "json.nulls",
    default: "false",
    description: "`true` writes a NULL as `null`; `false` leaves its field out.",
};
pub(super) const TOMBSTONES: FormatOption = FormatOption {
    name: "tombstones",
    default: "false",
    description: "`true` writes a row whose columns are all NULL as a message without a value.",
};

impl FormatOption {
    /// Takes the option out, as it was given or by its default.
    pub fn take(&self, options: &mut FormatOptions) -> String {
        let given = options.remove(self.name);
        given.unwrap_or_else(|| self.default.to_owned())
    }

    /// Takes an option out that is `true` or `false`.
    ///
    /// # Errors
    ///
    /// [`CodecError::Option`] where it is neither.
    pub fn take_flag(&self, options: &mut FormatOptions) -> Result<bool, CodecError> {
        let given = self.take(options);
        match given.as_str() {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err(self.refuse("`true` or `false`", given)),
        }
    }

    /// Takes an option out that is an ASCII character, or nothing.
    ///
    /// # Errors
    ///
    /// [`CodecError::Option`] where it is longer, or ends a line.
    pub fn take_ascii(&self, options: &mut FormatOptions) -> Result<Option<u8>, CodecError> {
        let given = self.take(options);
        match given.as_bytes() {
            [] => Ok(None),
            br"\t" => Ok(Some(b'\t')),
            [byte] if byte.is_ascii() && !matches!(byte, b'\n' | b'\r') => Ok(Some(*byte)),
            _ => Err(self.refuse("one ASCII character that ends no line", given)),
        }
    }

    /// Returns the error of a value that the option can't have.
    pub fn refuse(&self, expected: &str, found: String) -> CodecError {
        CodecError::Option {
            option: self.name.to_owned(),
            expected: expected.to_owned(),
            found,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Formats;

    #[test]
    fn every_option_says_what_it_does() {
        let options = Formats::default().options();
        assert!(
            options
                .iter()
                .all(|(_, option)| option.description.ends_with('.'))
        );
        let is_of = |(of, option): &(Option<&str>, FormatOption)| {
            of.is_none_or(|of| option.name.starts_with(&format!("{of}.")))
        };
        assert!(options.iter().all(is_of), "{options:?}");
    }

    #[test]
    fn the_guide_has_the_list() {
        let guide = include_str!("../../../docs/formats.md");
        for (_, option) in Formats::default().options() {
            let FormatOption {
                name,
                default,
                description,
            } = option;
            let default = if default.is_empty() {
                " ".to_owned()
            } else {
                format!(" `{default}` ")
            };
            let row = format!("| `{name}` |{default}| {description} |\n");
            assert!(guide.contains(&row), "docs/formats.md has no line {row}");
        }
    }

    #[test]
    fn an_option_is_taken_out() {
        let mut options = FormatOptions::from([("tombstones".to_owned(), "true".to_owned())]);
        assert_eq!(TOMBSTONES.take_flag(&mut options), Ok(true));
        assert_eq!(TOMBSTONES.take_flag(&mut options), Ok(false));
    }

    #[test]
    fn a_value_that_means_nothing_is_named() {
        let mut options = FormatOptions::from([
            ("tombstones".to_owned(), "yes".to_owned()),
            ("csv.quote".to_owned(), "''".to_owned()),
        ]);
        let error = TOMBSTONES.take_flag(&mut options).expect_err("refused");
        let expected = "option `tombstones`: expected `true` or `false`, found `yes`";
        assert_eq!(error.to_string(), expected);
        let error = CSV_QUOTE.take_ascii(&mut options).expect_err("refused");
        assert!(error.to_string().contains("one ASCII character"), "{error}");
    }
}
