//! What kind of file a name promises.

use std::collections::HashMap;
use std::io::Read;
use std::path::{Path, PathBuf};

/// A kind of file: its format in DataFusion and the options it is read with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Format {
    name: &'static str,
    option: Option<(&'static str, &'static str)>,
    /// Whether a compressed file of this kind is read, such as `reviews.csv.gz`.
    compressed: bool,
}

const fn format(
    name: &'static str,
    option: Option<(&'static str, &'static str)>,
    compressed: bool,
) -> Format {
    Format {
        name,
        option,
        compressed,
    }
}

/// What is read, by extension.
const FORMATS: [(&str, Format); 7] = [
    ("arrow", format("arrow", None, false)),
    ("csv", format("csv", None, true)),
    ("json", format("json", None, true)),
    ("jsonl", format("json", None, true)),
    ("ndjson", format("json", None, true)),
    ("parquet", format("parquet", None, false)),
    ("tsv", format("csv", Some(("format.delimiter", "\t")), true)),
];

/// The extensions of compressed files.
const COMPRESSIONS: [&str; 4] = ["bz2", "gz", "xz", "zst"];

/// A format with its compression, if any.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Kind {
    format: Format,
    /// Extension as files bear it, compression included, such as `csv.gz`.
    pub(super) extension: String,
    compression: Option<&'static str>,
}

impl Kind {
    /// Returns the kind that a file's extension promises.
    pub(super) fn of(file: &Path) -> Option<Self> {
        let mut parts = file.file_name()?.to_str()?.rsplit('.');
        let last = parts.next()?.to_ascii_lowercase();
        let compression = COMPRESSIONS.into_iter().find(|known| *known == last);
        let extension = if compression.is_some() {
            parts.next()?.to_ascii_lowercase()
        } else {
            last
        };
        // What stands before the extension: without it, the name is the extension.
        parts.next()?;
        let (_, format) = FORMATS.into_iter().find(|(known, _)| *known == extension)?;
        if compression.is_some() && !format.compressed {
            return None;
        }
        let whole = compression.map_or_else(
            || extension.clone(),
            |compression| format!("{extension}.{compression}"),
        );
        Some(Self {
            format,
            extension: whole,
            compression,
        })
    }

    /// Returns the extension as all of the files write it, such as `.PARQUET`; none where they differ.
    pub(super) fn written(&self, files: &[PathBuf]) -> Option<String> {
        let mut written = files.iter().map(|file| {
            let name = file.file_name()?.to_str()?;
            name.get(name.len().checked_sub(self.extension.len() + 1)?..)
        });
        let first = written.next().flatten()?;
        written
            .all(|other| other == Some(first))
            .then(|| first.to_owned())
    }

    /// Returns the name of DataFusion's format.
    pub(super) fn format(&self) -> &'static str {
        self.format.name
    }

    /// Returns the options that DataFusion's format takes.
    pub(super) fn options(&self, files: &[PathBuf]) -> HashMap<String, String> {
        let mut options = HashMap::new();
        if let Some((key, value)) = self.format.option {
            options.insert(key.to_owned(), value.to_owned());
        }
        if let Some(compression) = self.compression {
            options.insert("format.compression".to_owned(), compression.to_owned());
        }
        if self.extension == "json" && files.first().is_some_and(|file| is_array(file)) {
            options.insert("format.newline_delimited".to_owned(), "false".to_owned());
        }
        options
    }
}

/// What may stand at the beginning of a file in UTF-8.
const BYTE_ORDER_MARK: [u8; 3] = [0xef, 0xbb, 0xbf];

/// Tells whether a JSON file is one array of objects rather than an object a line.
fn is_array(file: &Path) -> bool {
    let Ok(file) = std::fs::File::open(file) else {
        return false;
    };
    let first = std::io::BufReader::new(file)
        .bytes()
        .map_while(Result::ok)
        .find(|byte| !byte.is_ascii_whitespace() && !BYTE_ORDER_MARK.contains(byte));
    first == Some(b'[')
}

/// Lists what is read, for a person.
pub(super) fn extensions() -> String {
    let known: Vec<_> = FORMATS
        .iter()
        .map(|(extension, _)| format!(".{extension}"))
        .collect();
    format!(
        "{} (text formats also with .{})",
        known.join(", "),
        COMPRESSIONS.join(", .")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, expected: Option<&str>) {
        let kind = Kind::of(Path::new(name)).map(|kind| kind.extension);
        assert_eq!(kind.as_deref(), expected, "{name}");
    }

    #[test]
    fn an_extension_is_known_as_the_files_write_it() {
        let check = |names: &[&str], expected: Option<&str>| {
            let files: Vec<_> = names.iter().map(PathBuf::from).collect();
            let kind = Kind::of(&files[0]).expect("a kind");
            assert_eq!(kind.written(&files).as_deref(), expected, "{names:?}");
        };
        check(&["a.csv.gz", "in/b.csv.gz"], Some(".csv.gz"));
        check(&["A.PARQUET"], Some(".PARQUET"));
        check(&["A.PARQUET", "b.parquet"], None);
    }

    #[test]
    fn the_extension_tells_the_kind() {
        check("a.parquet", Some("parquet"));
        check("A.CSV", Some("csv"));
        check("a.b.ndjson.zst", Some("ndjson.zst"));
        check("a.parquet.gz", None);
        check("csv", None);
        check("/tmp/.csv", Some("csv"));
        check("a.gz", None);
        check("", None);
    }
}
