//! Files of lines, NDJSON and CSV, cut into batches by their bytes too: DataFusion's readers count rows alone.

use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader};
use std::sync::Arc;

use arrow::csv;
use arrow::json;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::compute::concat_batches;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::{DataFusionError, Result};
use datafusion::datasource::physical_plan::CsvSource;

/// Bytes of a file that are read at once.
const AT_ONCE: usize = 1 << 18;

/// Records without an end that are looked for, at most.
const MOST_UNCLOSED: usize = 16;

/// How batches are cut.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Rows of a batch, at most.
    pub(super) rows: usize,
    /// Bytes of the file above which a batch ends with the line that it is at.
    pub(super) bytes: usize,
    /// Bytes of a line, at most: a longer one is refused before it is held as a whole.
    pub(super) line: usize,
}

/// What is read of a file.
#[derive(Debug)]
pub(super) enum Read {
    Rows(RecordBatch),
    /// A row that can't be read; others follow.
    Bad(DataFusionError),
}

/// A format of lines.
pub(super) enum Format {
    /// JSON objects, one after the other, of these columns.
    Json(SchemaRef),
    /// CSV as DataFusion reads it: of columns of this schema, some.
    Csv {
        source: Box<CsvSource>,
        schema: SchemaRef,
        columns: Vec<usize>,
    },
}

impl Format {
    fn decoder(&self, rows: usize, has_header: bool) -> Result<Decoder> {
        match self {
            Self::Json(schema) => {
                let builder = json::ReaderBuilder::new(Arc::clone(schema)).with_batch_size(rows);
                Ok(Decoder::Json(builder.build_decoder()?))
            }
            Self::Csv {
                source,
                schema,
                columns,
            } => {
                let mut builder = csv::ReaderBuilder::new(Arc::clone(schema))
                    .with_batch_size(rows)
                    .with_delimiter(source.delimiter())
                    .with_header(has_header)
                    .with_quote(source.quote())
                    .with_truncated_rows(source.truncate_rows())
                    .with_projection(columns.clone());
                if let Some(terminator) = source.terminator() {
                    builder = builder.with_terminator(terminator);
                }
                if let Some(escape) = source.escape() {
                    builder = builder.with_escape(escape);
                }
                if let Some(comment) = source.comment() {
                    builder = builder.with_comment(comment);
                }
                let decoder = Box::new(builder.build_decoder());
                Ok(Decoder::Csv { decoder, rows })
            }
        }
    }

    fn has_header(&self) -> bool {
        match self {
            Self::Json(_) => false,
            Self::Csv { source, .. } => source.has_header(),
        }
    }

    /// Returns where the first line ends.
    fn line_end(&self, bytes: &[u8]) -> Option<usize> {
        let terminator = match self {
            Self::Json(_) => Some(b'\n'),
            Self::Csv { source, .. } => source.terminator(),
        };
        bytes.iter().position(|byte| match terminator {
            Some(terminator) => *byte == terminator,
            None => matches!(byte, b'\r' | b'\n'),
        })
    }

    /// Returns the first line, with what ends it.
    fn first_line<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        &bytes[..self.line_end(bytes).map_or(bytes.len(), |at| at + 1)]
    }

    /// Finds where the first record ends, whatever its columns are; `is_end` tells that the file ends behind these bytes.
    fn record(&self, bytes: &[u8], is_end: bool) -> Record {
        match self {
            Self::Json(_) => {
                let blank = bytes.len() - bytes.trim_ascii_start().len();
                if blank > 0 {
                    return Record::None(blank);
                }
                let values = serde_json::Deserializer::from_slice(bytes);
                let mut values = values.into_iter::<serde::de::IgnoredAny>();
                match values.next() {
                    None => Record::None(bytes.len()),
                    Some(Ok(_)) => Record::Is(values.byte_offset()),
                    Some(Err(error)) if error.is_eof() => Record::GoesOn,
                    Some(Err(error)) => {
                        let message = format!("Json error: {error}");
                        Record::Bad(DataFusionError::Execution(message))
                    }
                }
            }
            Self::Csv { source, .. } => {
                let mut builder = csv_core::ReaderBuilder::new();
                builder
                    .delimiter(source.delimiter())
                    .quote(source.quote())
                    .escape(source.escape())
                    .comment(source.comment());
                if let Some(terminator) = source.terminator() {
                    builder.terminator(csv_core::Terminator::Any(terminator));
                }
                let mut reader = builder.build();
                let (mut fields, mut ends) = ([0; 1024], [0; 64]);
                let mut at = 0;
                loop {
                    let (found, read, ..) =
                        reader.read_record(&bytes[at..], &mut fields, &mut ends);
                    at += read;
                    match found {
                        csv_core::ReadRecordResult::Record => return Record::Is(at),
                        csv_core::ReadRecordResult::End => return Record::None(bytes.len()),
                        csv_core::ReadRecordResult::InputEmpty if !is_end => {
                            return Record::GoesOn;
                        }
                        // Without bytes it is told that the file ends; what the fields hold nobody asks.
                        _ => {}
                    }
                }
            }
        }
    }
}

/// What some bytes begin with.
enum Record {
    /// A record of so many bytes.
    Is(usize),
    /// Nothing but so many blank bytes and comments.
    None(usize),
    /// A record that does not end in these bytes.
    GoesOn,
    /// No record.
    Bad(DataFusionError),
}

/// Turns lines into rows.
enum Decoder {
    Json(json::reader::Decoder),
    Csv {
        decoder: Box<csv::reader::Decoder>,
        /// How many rows it takes.
        rows: usize,
    },
}

impl Decoder {
    fn decode(&mut self, bytes: &[u8]) -> Result<usize> {
        Ok(match self {
            Self::Json(decoder) => decoder.decode(bytes)?,
            Self::Csv { decoder, .. } => decoder.decode(bytes)?,
        })
    }

    fn flush(&mut self) -> Result<Option<RecordBatch>> {
        Ok(match self {
            Self::Json(decoder) => decoder.flush()?,
            Self::Csv { decoder, .. } => decoder.flush()?,
        })
    }

    /// Tells whether a row has begun and not ended, as far as the decoder says.
    fn is_within_row(&self) -> bool {
        matches!(self, Self::Json(decoder) if decoder.has_partial_record())
    }

    /// Returns how many rows are whole.
    fn rows(&self) -> usize {
        match self {
            Self::Json(decoder) => decoder.len() - usize::from(decoder.has_partial_record()),
            Self::Csv { decoder, rows } => rows - decoder.capacity(),
        }
    }
}

/// Reads a file of lines.
pub(super) struct Lines {
    input: BufReader<Box<dyn io::Read + Send>>,
    format: Format,
    limits: Limits,
    decoder: Decoder,
    /// The bytes of the batch under way, from which its lines are decoded one by one where they can't be together.
    bytes: Vec<u8>,
    /// Of these, those since the last row that is known to have ended.
    of_line: usize,
    ready: VecDeque<Read>,
    /// Whether the first line, which may be a header, is still to come.
    is_first: bool,
    /// Whether nothing is left of the file.
    is_at_end: bool,
    /// Why the file can't be read on.
    failure: Option<DataFusionError>,
}

/// How far a batch is.
enum Filled {
    /// There is more of it.
    Partly,
    Whole,
    /// The decoder refuses a line of it.
    Refused,
}

impl Lines {
    pub(super) fn try_new(
        input: Box<dyn io::Read + Send>,
        format: Format,
        limits: Limits,
    ) -> Result<Self> {
        Ok(Self {
            input: BufReader::with_capacity(AT_ONCE, input),
            decoder: format.decoder(limits.rows, format.has_header())?,
            format,
            limits,
            bytes: Vec::new(),
            of_line: 0,
            ready: VecDeque::new(),
            is_first: true,
            is_at_end: false,
            failure: None,
        })
    }

    /// Makes the next batch ready, but for a line that is longer than a batch: of that it returns how long it may be.
    pub(super) fn long_line(&mut self) -> Result<usize> {
        let most = self.limits.bytes;
        self.prepare(|lines| lines.of_line > most)?;
        Ok(match self.ready.is_empty() && self.of_line > most {
            true => self.limits.line,
            false => 0,
        })
    }

    /// Makes the next batch ready, unless it is to stop before; nothing is ready where the file has ended.
    fn prepare(&mut self, stop: impl Fn(&Self) -> bool) -> Result<()> {
        while self.ready.is_empty() && !self.is_at_end {
            if stop(self) {
                return Ok(());
            }
            let filled = self.fill().inspect_err(|_| self.is_at_end = true)?;
            let decoded = match filled {
                Filled::Partly => continue,
                Filled::Whole => self.decoder.flush().ok(),
                Filled::Refused => None,
            };
            match decoded {
                Some(rows) => self.ready.extend(rows.map(Read::Rows)),
                None => self
                    .read_one_by_one()
                    .inspect_err(|_| self.is_at_end = true)?,
            }
            self.is_first = false;
            self.bytes.clear();
            self.bytes.shrink_to(self.limits.bytes.saturating_mul(2));
            self.of_line = 0;
        }
        Ok(())
    }

    /// Returns what is to be read next; what was read before an error is used.
    fn ahead(&mut self) -> &[u8] {
        // Twice, since what is read is borrowed from the reader: the second time it is there already.
        if let Err(error) = self.input.fill_buf() {
            self.failure = Some(error.into());
        }
        let found = match self.failure {
            Some(_) => &[],
            None => self.input.fill_buf().unwrap_or(&[]),
        };
        self.is_at_end |= found.is_empty();
        found
    }

    /// Decodes some bytes: a batch is whole where it has enough rows or bytes, or the file ends.
    fn fill(&mut self) -> Result<Filled> {
        let limits = self.limits;
        let is_long = self.bytes.len() >= limits.bytes;
        let room = limits.bytes.saturating_sub(self.bytes.len());
        let start = self.bytes.len();
        let found = self.ahead().len();
        let found = &self.input.buffer()[..found];
        // Above the limit, line by line: a batch ends where a row does, and a line ends at most one.
        let line_end = is_long.then(|| self.format.line_end(found)).flatten();
        let taken = match line_end {
            Some(at) => at + 1,
            None if is_long => found.len(),
            None => found.len().min(room),
        };
        let before = self.decoder.rows();
        // No bytes: the decoder is told that the file ends.
        let decoded = self.decoder.decode(&found[..taken]);
        let used = *decoded.as_ref().unwrap_or(&taken);
        self.bytes.extend_from_slice(&found[..used]);
        self.input.consume(used);
        if decoded.is_err() {
            return Ok(Filled::Refused);
        }
        let rows = self.decoder.rows();
        let is_blank = self.of_line == 0 && self.bytes[start..].trim_ascii().is_empty();
        self.of_line = match rows > before || is_blank {
            true => 0,
            false => self.of_line + used,
        };
        if self.of_line > limits.line {
            return Err(too_long(limits));
        }
        let ends_row = line_end.is_some() && rows > before && !self.decoder.is_within_row();
        Ok(match used == 0 || rows >= limits.rows || ends_row {
            true => Filled::Whole,
            false => Filled::Partly,
        })
    }

    /// Decodes the records of a batch one by one, where they can't be together: those that can be are rows.
    ///
    /// Where a record begins and ends does not depend on the columns that are read.
    fn read_one_by_one(&mut self) -> Result<()> {
        self.end_line()?;
        let mut is_header = self.is_first && self.format.has_header();
        let mut rows = Vec::new();
        let (mut start, mut unclosed) = (0, 0);
        while start < self.bytes.len() {
            let bytes = &self.bytes[start..];
            let line = self.format.first_line(bytes).len();
            match self.format.record(bytes, self.is_at_end) {
                Record::None(length) => start += length,
                Record::Is(length) if is_header => {
                    is_header = false;
                    start += length;
                }
                Record::Is(length) => {
                    match self.row(&bytes[..length])? {
                        Ok(row) => rows.extend(row),
                        Err(error) => self.add_bad(&mut rows, error)?,
                    }
                    start += length;
                }
                Record::GoesOn if !self.is_at_end && bytes.len() <= self.limits.line => {
                    let more = AT_ONCE.max(self.bytes.len());
                    while self.bytes.len() < start + more && !self.is_at_end {
                        let found = self.ahead().len();
                        self.bytes.extend_from_slice(&self.input.buffer()[..found]);
                        self.input.consume(found);
                    }
                    self.end_line()?;
                }
                // What the failure has cut off is part of what can't be read.
                Record::GoesOn if self.failure.is_some() => break,
                Record::GoesOn => {
                    unclosed += 1;
                    let error = DataFusionError::Execution("a record that does not end".to_owned());
                    self.add_bad(&mut rows, error)?;
                    // Each is looked for until the end: after some of them the rest is one.
                    start = match unclosed > MOST_UNCLOSED {
                        true => self.bytes.len(),
                        false => start + line,
                    };
                }
                Record::Bad(error) => {
                    // Arrow's decoder takes some that is no JSON to the letter.
                    match self.row(&bytes[..line])? {
                        Ok(Some(row)) => rows.push(row),
                        _ => self.add_bad(&mut rows, error)?,
                    }
                    start += line;
                }
            }
        }
        self.add(&mut rows)?;
        self.decoder = self.format.decoder(self.limits.rows, false)?;
        Ok(())
    }

    /// Decodes one record; the inner error is the row's.
    fn row(&self, record: &[u8]) -> Result<Result<Option<RecordBatch>>> {
        let mut decoder = self.format.decoder(1, false)?;
        // No bytes: the decoder is told that the file ends, and the last record with it.
        for bytes in [record, &[]] {
            match decoder.decode(bytes) {
                Ok(read) if bytes[read..].trim_ascii().is_empty() => {}
                Ok(_) => {
                    let message = "expected one record in the line, found more".to_owned();
                    return Ok(Err(DataFusionError::Execution(message)));
                }
                Err(error) => return Ok(Err(error)),
            }
            if decoder.rows() > 0 {
                break;
            }
        }
        Ok(decoder.flush())
    }

    /// Adds a row that can't be read, behind those before it.
    fn add_bad(&mut self, rows: &mut Vec<RecordBatch>, error: DataFusionError) -> Result<()> {
        self.add(rows)?;
        self.ready.push_back(Read::Bad(error));
        Ok(())
    }

    /// Adds rows to what is ready.
    fn add(&mut self, rows: &mut Vec<RecordBatch>) -> Result<()> {
        if let Some(first) = rows.first() {
            let batch = concat_batches(&first.schema(), rows.iter())?;
            self.ready.push_back(Read::Rows(batch));
            rows.clear();
        }
        Ok(())
    }

    /// Reads what is left of the line that the batch ends within.
    fn end_line(&mut self) -> Result<()> {
        let most = self.bytes.len().saturating_add(self.limits.line);
        loop {
            let last = self.bytes.len().saturating_sub(1);
            let found = self.ahead().len();
            if found == 0 || self.format.line_end(&self.bytes[last..]).is_some() {
                return Ok(());
            }
            let found = &self.input.buffer()[..found];
            let taken = self.format.first_line(found).len();
            self.bytes.extend_from_slice(&found[..taken]);
            self.input.consume(taken);
            if self.bytes.len() > most {
                return Err(too_long(self.limits));
            }
        }
    }
}

impl Iterator for Lines {
    type Item = Result<Read>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Err(error) = self.prepare(|_| false) {
            return Some(Err(error));
        }
        match self.ready.pop_front() {
            Some(read) => Some(Ok(read)),
            None => self.failure.take().map(Err),
        }
    }
}

fn too_long(limits: Limits) -> DataFusionError {
    let megabytes = limits.line / 1_000_000;
    DataFusionError::ResourcesExhausted(format!(
        "a line of more than {megabytes} MB, or a quote that is not closed; a line may take more memory than --memory leaves, then give it more"
    ))
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use datafusion::arrow::array::{Array, AsArray};
    use datafusion::arrow::datatypes::{DataType, Field, Int64Type, Schema};
    use datafusion::common::config::CsvOptions;

    use super::*;

    const LIMITS: Limits = Limits {
        rows: 7,
        bytes: 50,
        line: usize::MAX,
    };

    fn schema() -> SchemaRef {
        Arc::new(Schema::new(vec![
            Field::new("id", DataType::Int64, true),
            Field::new("text", DataType::Utf8View, true),
        ]))
    }

    fn csv(options: CsvOptions) -> Format {
        let options = CsvOptions {
            has_header: Some(true),
            ..options
        };
        let schema = schema();
        let source = CsvSource::new(Arc::clone(&schema)).with_csv_options(options);
        Format::Csv {
            source: Box::new(source),
            schema,
            columns: vec![0, 1],
        }
    }

    fn read(text: &str, format: Format, limits: Limits) -> Vec<Result<Read>> {
        let input = Box::new(Cursor::new(text.to_owned()));
        Lines::try_new(input, format, limits)
            .expect("a reader")
            .collect()
    }

    /// Returns the rows of each batch, each as its number and text, and of those that are bad the error.
    fn rows(found: Vec<Result<Read>>) -> Vec<Vec<String>> {
        let rows = found
            .into_iter()
            .map(|read| match read.expect("the file is read") {
                Read::Rows(batch) => {
                    let ids = batch.column(0).as_primitive::<Int64Type>();
                    let texts = batch.column(1).as_string_view();
                    let row = |row| match ids.is_null(row) {
                        true => format!("- {}", texts.value(row)),
                        false => format!("{} {}", ids.value(row), texts.value(row)),
                    };
                    (0..batch.num_rows()).map(row).collect()
                }
                Read::Bad(error) => vec![format!("bad: {error}")],
            });
        rows.collect()
    }

    /// Reads rows of these texts in CSV and JSON; returns the rows of each batch.
    fn check(texts: &[&str]) -> [Vec<usize>; 2] {
        let quoted = |text: &&str| text.replace('"', "\"\"");
        let (mut in_csv, mut in_json) = ("id,text\n".to_owned(), String::new());
        for (id, text) in texts.iter().enumerate() {
            in_csv.push_str(&format!("{id},\"{}\"\r\n", quoted(text)));
            let text = serde_json::to_string(text).expect("JSON");
            // Whether an object has lines of its own is nobody's business.
            let gap = if id % 3 == 0 { "\n  " } else { "" };
            in_json.push_str(&format!("{{\"id\": {id},{gap}\"text\": {text}}}\n"));
        }
        let every = Limits {
            rows: 1000,
            bytes: usize::MAX,
            ..LIMITS
        };
        let mut sizes = Vec::new();
        for (text, format) in [
            (&in_csv, (|| csv(CsvOptions::default())) as fn() -> Format),
            (&in_json, || Format::Json(schema())),
        ] {
            let whole = rows(read(text, format(), every)).concat();
            let cut = rows(read(text, format(), LIMITS));
            assert_eq!(whole.len(), texts.len());
            sizes.push(cut.iter().map(Vec::len).collect());
            assert_eq!(whole, cut.concat(), "{text}");
        }
        sizes.try_into().expect("two")
    }

    #[test]
    fn batches_end_by_rows_and_by_bytes() {
        assert_eq!(check(&["a"; 16])[0], [7, 7, 2]);
        let long = "long ".repeat(100);
        let texts = [
            "a",
            &long,
            "b",
            "c",
            &long,
            &long,
            "d\n\ne \"f\"\r\ng",
            "",
            "h",
        ];
        let [csv, json] = check(&texts);
        // A batch holds at most what fits, and the row that is under way then.
        assert_eq!(csv, [2, 3, 1, 3]);
        assert_eq!(json, [2, 3, 1, 2, 1]);
        assert_eq!(check(&[&long, &long])[0], [1, 1]);
        check(&[]);
    }

    #[test]
    fn lines_may_end_otherwise() {
        let limits = Limits { bytes: 1, ..LIMITS };
        let options = CsvOptions {
            terminator: Some(b';'),
            ..CsvOptions::default()
        };
        let found = rows(read("id,text;1,a\nb;2,c;3,d", csv(options), limits));
        assert_eq!(found, [["1 a\nb"], ["2 c"], ["3 d"]]);
        // A carriage return ends a row, a line feed in quotes does not.
        let lines = (0..50).map(|id| format!("{id},\"one {id}\nand two\"\r"));
        let text = format!("id,text\r{}", lines.collect::<String>());
        let found = rows(read(&text, csv(CsvOptions::default()), LIMITS));
        let expected: Vec<_> = (0..50)
            .map(|id| format!("{id} one {id}\nand two"))
            .collect();
        assert_eq!(found.concat(), expected);
        assert!(found.iter().all(|rows| rows.len() < 5), "{found:?}");
        // So do objects that stand in one line.
        let text = "{\"id\": 1,\n\"text\": \"a\"} {\"id\": 2,\n\"text\": \"b\"} {\"id\": 3}\n";
        let found = rows(read(&text.repeat(9), Format::Json(schema()), LIMITS));
        assert_eq!(found.concat(), ["1 a", "2 b", "3 "].repeat(9));
    }

    #[test]
    fn a_line_without_an_end_is_refused_before_it_is_whole() {
        let limits = Limits {
            line: 1 << 20,
            ..LIMITS
        };
        let text = format!("{{\"text\": \"{}\"}}", "x".repeat(4 << 20));
        let found = read(&text, Format::Json(schema()), limits);
        let [Err(error)] = found.as_slice() else {
            panic!("{found:?}")
        };
        let told = "a line of more than 1 MB";
        assert!(error.to_string().contains(told), "{error}");
        // Many lines may be longer together.
        let text = "{\"id\": 1}\n".repeat(300_000);
        let found = rows(read(&text, Format::Json(schema()), limits));
        assert_eq!(found.iter().map(Vec::len).sum::<usize>(), 300_000);
    }

    #[test]
    fn a_long_line_is_told_before_it_is_read() {
        let long = "x".repeat(3 * AT_ONCE);
        let text = format!("{{\"id\": 1}}\n{{\"text\": \"{long}\"}}\n{{\"id\": 2}}\n");
        let limits = Limits {
            line: 1 << 20,
            rows: 1,
            ..LIMITS
        };
        let input = Box::new(Cursor::new(text));
        let lines = Lines::try_new(input, Format::Json(schema()), limits);
        let mut lines = lines.expect("a reader");
        let mut told = Vec::new();
        loop {
            told.push(lines.long_line().expect("a line"));
            if lines.next().is_none() {
                break;
            }
        }
        assert_eq!(told, [0, 1 << 20, 0, 0]);
    }

    /// Checks what is read whatever the limits are: rows by their number and text, bad ones as `bad`.
    fn check_bad(text: &str, format: impl Fn() -> Format, expected: &[&str]) {
        for rows_at_once in [1, 2, 7, 1000] {
            for bytes in [1, 20, 50, usize::MAX] {
                let limits = Limits {
                    rows: rows_at_once,
                    bytes,
                    ..LIMITS
                };
                let found = rows(read(text, format(), limits)).concat();
                let found: Vec<_> = found
                    .iter()
                    .map(|row| row.split(": ").next().unwrap_or_default().trim_end())
                    .collect();
                assert_eq!(found, expected, "{limits:?}: {text}");
            }
        }
    }

    #[test]
    fn a_bad_line_is_one_row_among_others() {
        let json = |text: &str, expected: &[&str]| {
            check_bad(text, || Format::Json(schema()), expected);
        };
        json(
            "{\"id\": 1}\n{\"id\": nothing}\n\n{\"id\": 2, \"text\": \"open}\n{\"id\": 3}\n{\"id\":\n4}\n{\"id\": \"x\"}\n{\"id\": 5",
            &["1", "bad", "bad", "3", "4", "bad", "bad"],
        );
        // An object of many lines is one, and what is within it is none.
        json(
            "{\"id\": \"x\", \"sub\":\n{\"id\": 5, \"text\": \"inner\"}\n}\n{\"id\": 2}",
            &["bad", "2"],
        );
        // So are objects of one line.
        json(
            "{\"id\": 1} {\"id\": \"x\"} {\"id\": 2}\n{\"id\": 3}\n",
            &["1", "bad", "2", "3"],
        );
        json(
            "{\"id\": \"x\"}\n{\"id\": 1, \"text\": \"a\tb\"}\n",
            &["bad", "1 a\tb"],
        );
        json("", &[]);
        let of_csv = |text: &str, expected: &[&str]| {
            let comment = CsvOptions {
                comment: Some(b'#'),
                ..CsvOptions::default()
            };
            check_bad(text, || csv(comment.clone()), expected);
        };
        of_csv(
            "id,text\n1,\nzzz,\n\n2,a\n5,a,b\n6\n7,\"c\"",
            &["1", "bad", "2 a", "bad", "bad", "7 c"],
        );
        of_csv(
            "id,text\r\nx,\"hello\r\n5,world\"\r\n2,b\r\n",
            &["bad", "2 b"],
        );
        of_csv(
            "#c\n\nid,\"te\nxt\"\n1,a\nx,\n#c\n2,b\n",
            &["1 a", "bad", "2 b"],
        );
        of_csv("id,text,more\n1,a\n2,b\n", &["1 a", "2 b"]);
        of_csv("id,text\n1,\"open\n2,b\n3,c", &["1 open\n2,b\n3,c"]);
        of_csv("id,text\n", &[]);
    }

    #[test]
    fn records_that_never_end_are_not_looked_for_again_and_again() {
        let text = "{\"text\": [\n".repeat(20_000);
        let found = rows(read(&text, Format::Json(schema()), LIMITS));
        assert_eq!(found.len(), MOST_UNCLOSED + 1);
    }

    #[test]
    fn what_was_read_before_a_failure_is_used() {
        struct Failing(usize);

        impl io::Read for Failing {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                if self.0 == 0 {
                    return Err(io::Error::other("a truncated file"));
                }
                self.0 -= 1;
                let text = b"{\"id\": 1}\n{\"id\": 2";
                buffer[..text.len()].copy_from_slice(text);
                Ok(text.len())
            }
        }
        let input = Box::new(Failing(1));
        let lines = Lines::try_new(input, Format::Json(schema()), LIMITS);
        let found: Vec<_> = lines.expect("a reader").collect();
        let [Ok(Read::Rows(first)), Err(error)] = found.as_slice() else {
            panic!("{found:?}")
        };
        assert_eq!(first.num_rows(), 1);
        assert!(error.to_string().contains("a truncated file"), "{error}");
    }
}
