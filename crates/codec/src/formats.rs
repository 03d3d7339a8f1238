//! The formats that there are, by name.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::every_format::EveryFormat;
use super::options::{CSV_DELIMITER, CSV_ESCAPE, CSV_NULL, CSV_QUOTE, JSON_NULLS, TOMBSTONES};
use super::{CodecError, Format, FormatOption, FormatOptions, arrow_stream, csv, json, raw};

/// A message format: what a table's option `format` names.
///
/// Tombstones and NOT NULL are none of its business: [`Formats::open`] sees to them.
pub trait MessageFormat: fmt::Debug + Send + Sync {
    /// Returns its name, in lower case.
    fn name(&self) -> &'static str;

    /// Returns its options, alphabetical; their keys begin with its name and a dot.
    fn options(&self) -> &'static [FormatOption];

    /// Takes its options out of those of a table, and returns the format that they describe.
    ///
    /// # Errors
    ///
    /// Where an option has a value that it can't have.
    fn open(&self, options: &mut FormatOptions) -> Result<Arc<dyn Format>, CodecError>;
}

/// Formats by name: `arrow`, `csv`, `json` and `raw`, and what is added to them.
#[derive(Debug, Clone)]
pub struct Formats(BTreeMap<&'static str, Arc<dyn MessageFormat>>);

impl Default for Formats {
    fn default() -> Self {
        let built_in = [
            BuiltIn {
                name: "arrow",
                options: &[],
                open: arrow_stream::arrow,
            },
            BuiltIn {
                name: "csv",
                options: &[CSV_DELIMITER, CSV_ESCAPE, CSV_NULL, CSV_QUOTE],
                open: csv::csv,
            },
            BuiltIn {
                name: "json",
                options: &[JSON_NULLS],
                open: json::json,
            },
            BuiltIn {
                name: "raw",
                options: &[],
                open: raw::raw,
            },
        ];
        let none = Self(BTreeMap::new());
        let formats = built_in.into_iter();
        formats.fold(none, |formats, format| formats.with(Arc::new(format)))
    }
}

impl Formats {
    /// Adds a format; one that has its name already gives way.
    #[must_use]
    pub fn with(mut self, format: Arc<dyn MessageFormat>) -> Self {
        self.0.insert(format.name(), format);
        self
    }

    /// Returns the format of a name, without regard to case, as the options describe it; those that it knows are taken
    /// out of them.
    ///
    /// # Errors
    ///
    /// [`CodecError::Unknown`] where no format has the name, [`CodecError::Option`] where a value is wrong.
    pub fn open(
        &self,
        name: &str,
        options: &mut FormatOptions,
    ) -> Result<Arc<dyn Format>, CodecError> {
        let mut formats = self.0.values();
        let Some(format) = formats.find(|format| format.name().eq_ignore_ascii_case(name)) else {
            return Err(CodecError::Unknown {
                found: name.to_owned(),
                known: self.listed(),
            });
        };
        let tombstones = TOMBSTONES.take_flag(options)?;
        let format = format.open(options)?;
        Ok(Arc::new(EveryFormat { format, tombstones }))
    }

    /// Returns the names.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.0.keys().copied()
    }

    /// Returns the names as errors list them.
    pub fn listed(&self) -> String {
        let names: Vec<_> = self.names().map(|name| format!("`{name}`")).collect();
        names.join(", ")
    }

    /// Returns every option by its key, with the format that takes it; none is every format.
    pub fn options(&self) -> Vec<(Option<&'static str>, FormatOption)> {
        let mut options = vec![(None, TOMBSTONES)];
        for format in self.0.values() {
            let of = format.options().iter();
            options.extend(of.map(|option| (Some(format.name()), *option)));
        }
        options.sort_by_key(|(_, option)| option.name);
        options
    }
}

/// A format of this crate.
#[derive(Debug)]
struct BuiltIn {
    name: &'static str,
    options: &'static [FormatOption],
    open: fn(&mut FormatOptions) -> Result<Arc<dyn Format>, CodecError>,
}

impl MessageFormat for BuiltIn {
    fn name(&self) -> &'static str {
        self.name
    }

    fn options(&self) -> &'static [FormatOption] {
        self.options
    }

    fn open(&self, options: &mut FormatOptions) -> Result<Arc<dyn Format>, CodecError> {
        (self.open)(options)
    }
}
