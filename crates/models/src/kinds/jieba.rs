//! `jieba`: Chinese words by a dictionary of the user's; its name is a tokenizer.

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type};
use lexstream_columns::model::{Model, ModelError};
use lexstream_text::pos_tags::PosTagger;
use lexstream_text::tokenizers::Tokenizer;
use lexstream_text::tokenizers::jieba::{Dictionary, Jieba, Mode, TooManyWords, Word};
use serde_json::{Value, json};

use super::options::line;
use super::{Kind, Lazy, Made, ModelCatalog, OptionSpec, Request, Rows};
use crate::progress::Progress;
use crate::store::Stored;
use crate::training::{ColumnSpec, Columns, Holds};

/// The kind `jieba`.
#[derive(Debug)]
pub(super) struct JiebaKind;

const MODES: &[(&str, Mode)] = &[
    ("exact", Mode::Exact),
    ("search", Mode::Search),
    ("all", Mode::All),
];

/// The columns of the query.
const COLUMNS: &[ColumnSpec] = &[
    ColumnSpec::required("word", &[Holds::Text]),
    ColumnSpec::required("frequency", &[Holds::Integer]).optional(),
    ColumnSpec::required("tag", &[Holds::Text]).optional(),
];

/// Name of the file that rows become.
const WORDS: &str = "words.txt";

/// Why words don't make a dictionary.
#[derive(Debug, thiserror::Error)]
enum JiebaError {
    /// A line of a dictionary file.
    #[error(
        "{place}: expected `word frequency tag` with single spaces, frequency and tag optional, found {found}"
    )]
    Line { place: String, found: String },
    /// No word at all.
    #[error("{0}: expected words, found none")]
    Empty(String),
    /// Nothing to cut by.
    #[error(
        "model `{0}`: expected `dictionary` or AS query, since `default_dictionary` is `false`"
    )]
    Nothing(String),
    /// Both a file and rows.
    #[error("model `{0}`: expected `dictionary` or AS query, found both")]
    Both(String),
    /// More than a dictionary holds.
    #[error("{place}: {source}")]
    TooMany { place: String, source: TooManyWords },
    /// A value of the query.
    #[error("model `{model}`: row {row} of the query: {problem}")]
    Row {
        model: String,
        row: usize,
        problem: String,
    },
}

impl Kind for JiebaKind {
    fn name(&self) -> &'static str {
        "jieba"
    }

    fn description(&self) -> &'static str {
        "A tokenizer for Chinese with words of your own, from a file or, behind AS, from rows `(word [, frequency [, tag]])`: `CREATE MODEL d WITH ('kind' = 'jieba', 'dictionary' = 'words.txt')`, then `tokenize(text, 'd')`. Agrees with jieba's `load_userdict`."
    }

    fn options(&self) -> &'static [OptionSpec] {
        &[
            OptionSpec {
                name: "default_dictionary",
                default: "true",
                description: "Whether the words are added to jieba's own dictionary; `false` knows them alone.",
            },
            OptionSpec {
                name: "dictionary",
                default: "",
                description: "A file in UTF-8, a word a line: `word [frequency] [tag]`, with single spaces. Without a frequency a word gets the least that keeps it in one piece; frequency 0 keeps it apart.",
            },
            OptionSpec {
                name: "hmm",
                default: "true",
                description: "Whether a hidden Markov model joins characters that no dictionary knows as a word.",
            },
            OptionSpec {
                name: "mode",
                default: "exact",
                description: "`exact`: the most probable words; `search`: the words inside long words too; `all`: every word there is in the text.",
            },
        ]
    }

    fn make(&self, mut request: Request<'_>) -> Result<Made, ModelError> {
        let name = request.name.to_string();
        let default_dictionary = request.flag("default_dictionary", true)?;
        let hmm = request.flag("hmm", true)?;
        request.choice("mode", MODES, Mode::Exact)?;
        let mode = request.text("mode").unwrap_or("exact").to_ascii_lowercase();
        let from_file = request.file("dictionary")?;
        let from_rows = match request.rows.take() {
            Some(rows) => Some(request.draft.write(
                "words",
                WORDS,
                read_rows(&name, rows, request.progress())?.as_bytes(),
            )?),
            None if from_file.is_none() => request.keep("words")?,
            None => None,
        };
        let file = match (from_file, from_rows) {
            (Some(_), Some(_)) => return Err(JiebaError::Both(name).into()),
            (file, rows) => file.or(rows),
        };
        let words = match &file {
            Some(file) => {
                let path = request.path(file);
                let bytes =
                    fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
                // Messages name the file that the user knows.
                let named = request.text("dictionary").map_or(path.clone(), Into::into);
                let words = parse(&named, &bytes)?;
                let place = named.display().to_string();
                if words.is_empty() {
                    return Err(JiebaError::Empty(place).into());
                }
                let count = words.len();
                let dictionary = dictionary_of(default_dictionary, words);
                dictionary.map_err(|source| JiebaError::TooMany { place, source })?;
                count
            }
            None if default_dictionary => 0,
            None => return Err(JiebaError::Nothing(name).into()),
        };
        Ok(Made {
            task: None,
            files: file.into_iter().collect(),
            details: [
                ("words", json!(words)),
                ("default_dictionary", json!(default_dictionary)),
                ("hmm", json!(hmm)),
                ("mode", json!(mode)),
            ]
            .map(|(key, value)| (key.to_owned(), value))
            .into(),
        })
    }

    fn open(&self, stored: Stored, _: &ModelCatalog) -> Result<Arc<dyn Model>, ModelError> {
        Ok(Arc::new(JiebaModel {
            id: stored.id(),
            stored,
            jieba: Lazy::default(),
        }))
    }
}

#[derive(Debug)]
struct JiebaModel {
    id: String,
    stored: Stored,
    jieba: Lazy<Jieba>,
}

impl JiebaModel {
    /// Returns what the files make; the first call reads them.
    fn jieba(&self) -> Result<Arc<Jieba>, ModelError> {
        self.jieba.load(|| load(&self.stored))
    }
}

impl Model for JiebaModel {
    fn id(&self) -> &str {
        &self.id
    }

    fn kind(&self) -> &str {
        JiebaKind.name()
    }

    fn can_tokenize(&self) -> bool {
        true
    }

    fn tokenizer(&self) -> Result<Arc<dyn Tokenizer>, ModelError> {
        Ok(self.jieba()?)
    }

    fn can_tag(&self) -> bool {
        true
    }

    fn pos_tagger(&self) -> Result<PosTagger, ModelError> {
        Ok(self.jieba()?.pos_tagger())
    }
}

fn load(stored: &Stored) -> Result<Jieba, ModelError> {
    let details = &stored.manifest.details;
    let flag = |name: &str| details.get(name).and_then(Value::as_bool).unwrap_or(true);
    let mode = details
        .get("mode")
        .and_then(Value::as_str)
        .unwrap_or("exact");
    let (_, mode) = MODES
        .iter()
        .find(|(name, _)| *name == mode)
        .ok_or_else(|| format!("model `{}`: the manifest's `mode` is `{mode}`", stored.id()))?;
    let default_dictionary = flag("default_dictionary");
    let dictionary = match stored.manifest.files.first() {
        Some(file) => {
            let bytes = stored.read(file)?;
            dictionary_of(default_dictionary, parse(&stored.path(file), &bytes)?)?
        }
        None => dictionary_of(default_dictionary, Vec::new())?,
    };
    Ok(Jieba::new(dictionary, *mode, flag("hmm")))
}

/// Returns a dictionary of words, and of jieba's own where these are wanted.
fn dictionary_of(
    default_dictionary: bool,
    words: Vec<Word<'_>>,
) -> Result<Arc<Dictionary>, TooManyWords> {
    let base = match default_dictionary {
        true => Dictionary::built_in(),
        false => Arc::new(Dictionary::empty()),
    };
    match words.is_empty() {
        true => Ok(base),
        false => Ok(Arc::new(base.with(words)?)),
    }
}

/// Reads the words of a dictionary file; empty lines are left out.
fn parse<'a>(path: &Path, bytes: &'a [u8]) -> Result<Vec<Word<'a>>, JiebaError> {
    let wrong = |number: usize, found: String| JiebaError::Line {
        place: line(path, number + 1),
        found,
    };
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    let mut words = Vec::new();
    for (number, bytes) in bytes.split(|byte| *byte == b'\n').enumerate() {
        let text = std::str::from_utf8(bytes).map_err(|error| {
            wrong(
                number,
                format!("a byte that is not UTF-8 at {}", error.valid_up_to()),
            )
        })?;
        let text = text.trim();
        if text.is_empty() {
            continue;
        }
        if text.contains(char::is_control) {
            return Err(wrong(number, format!("{text:?}")));
        }
        words.push(word(text).map_err(|found| wrong(number, found))?);
    }
    Ok(words)
}

/// Reads one line; as with jieba, what is neither tag nor frequency is the word, spaces included.
fn word(line: &str) -> Result<Word<'_>, String> {
    let last = |text: &str, of: fn(&u8) -> bool| {
        let at = text.rfind(' ')?;
        let (word, piece) = (&text[..at], &text[at + 1..]);
        (!word.is_empty() && !piece.is_empty() && piece.as_bytes().iter().all(of)).then_some(at)
    };
    let (line, tag) = match last(line, u8::is_ascii_lowercase) {
        Some(at) => (&line[..at], Some(&line[at + 1..])),
        None => (line, None),
    };
    let (word, frequency) = match last(line, u8::is_ascii_digit) {
        Some(at) => (&line[..at], Some(&line[at + 1..])),
        None => (line, None),
    };
    // The sum of all frequencies has to fit as well.
    let frequency = frequency.map(|digits| match digits.parse() {
        Ok(frequency) if frequency <= u32::MAX as usize => Ok(frequency),
        _ => Err(format!("frequency {digits}, above {}", u32::MAX)),
    });
    Ok((word, frequency.transpose()?, tag))
}

/// Writes the rows of a query as a dictionary file.
fn read_rows(model: &str, rows: Rows, progress: &Progress) -> Result<String, ModelError> {
    let columns = Columns::find(model, COLUMNS, &rows.schema)?;
    let mut out = String::new();
    let mut row = 0;
    for batch in rows.batches {
        let batch = batch?;
        let column = |at: usize, to: &DataType| -> Result<Option<ArrayRef>, ModelError> {
            let column = columns.of(&batch, at).map(|column| cast(column, to));
            Ok(column.transpose()?)
        };
        let words = column(0, &DataType::LargeUtf8)?;
        let frequencies = column(1, &DataType::Int64)?;
        let tags = column(2, &DataType::LargeUtf8)?;
        let (Some(words), tags) = (
            &words,
            tags.as_ref().map(arrow::array::AsArray::as_string::<i64>),
        ) else {
            continue;
        };
        let words = words.as_string::<i64>();
        let frequencies = frequencies
            .as_ref()
            .map(arrow::array::AsArray::as_primitive::<Int64Type>);
        for at in 0..batch.num_rows() {
            row += 1;
            let wrong = |problem: String| JiebaError::Row {
                model: model.to_owned(),
                row,
                problem,
            };
            if words.is_null(at) {
                return Err(wrong("expected a word, found NULL".to_owned()).into());
            }
            let mut line = words.value(at).to_owned();
            if let Some(frequency) = frequencies.filter(|column| column.is_valid(at)) {
                write!(line, " {}", frequency.value(at))?;
            }
            if let Some(tag) = tags.filter(|column| column.is_valid(at)) {
                write!(line, " {}", tag.value(at))?;
            }
            let expected = (
                words.value(at),
                frequencies
                    .filter(|column| column.is_valid(at))
                    .map(|column| column.value(at)),
                tags.filter(|column| column.is_valid(at))
                    .map(|column| column.value(at)),
            );
            // What a dictionary file can't say would be another word when it is read.
            let read = word(&line).map_err(&wrong)?;
            let is_whole = line.trim() == line && !line.contains(char::is_control);
            if !is_whole || (read.0, read.1.map(|frequency| frequency as i64), read.2) != expected {
                return Err(wrong(format!("no line of a dictionary says {expected:?}; expected a word without spaces around it, a frequency of 0 or more, a tag of letters a to z")).into());
            }
            out.push_str(&line);
            out.push('\n');
        }
        progress.rows(batch.num_rows());
    }
    if out.is_empty() {
        return Err(JiebaError::Empty(format!("model `{model}`: the query")).into());
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, expected: Word<'_>) {
        assert_eq!(word(line), Ok(expected), "{line:?}");
    }

    #[test]
    fn a_line_is_read_as_jieba_reads_it() {
        check("云计算", ("云计算", None, None));
        check("云计算 5", ("云计算", Some(5), None));
        check("云计算 n", ("云计算", None, Some("n")));
        check("云计算 5 n", ("云计算", Some(5), Some("n")));
        check(
            "machine learning 10 nz",
            ("machine learning", Some(10), Some("nz")),
        );
        check("easy_install 3 eng", ("easy_install", Some(3), Some("eng")));
        check("5", ("5", None, None));
        check("5 6 7", ("5 6", Some(7), None));
        check("韩玉赏鉴  3", ("韩玉赏鉴 ", Some(3), None));
        assert!(word("词 99999999999999999999").is_err());
    }

    #[test]
    fn a_wrong_line_is_named() {
        let check = |bytes: &[u8], expected: &str| {
            let message = parse(Path::new("words.txt"), bytes)
                .expect_err(expected)
                .to_string();
            assert!(
                message.starts_with("words.txt:2: ") && message.ends_with(expected),
                "{message}"
            );
        };
        check("一\n二\t3".as_bytes(), "found \"二\\t3\"");
        check(b"a\n\xff", "found a byte that is not UTF-8 at 0");
        check(
            "一\n二 99999999999".as_bytes(),
            "found frequency 99999999999, above 4294967295",
        );
    }
}
