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

    /// Tells whether a line is blank, or a comment.
    fn is_no_row(&self, line: &[u8]) -> bool {
        match self {
            Self::Json(_) => line.trim_ascii().is_empty(),
            Self::Csv { source, .. } => {
                let is_end = |byte: &u8| {
                    source
                        .terminator()
                        .map_or(matches!(byte, b'\r' | b'\n'), |end| *byte == end)
                };
                line.iter().all(is_end) || line.first().copied() == source.comment()
            }
        }
    }
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
    has_ended: bool,
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
            has_ended: false,
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
        while self.ready.is_empty() && !self.has_ended {
            if stop(self) {
                return Ok(());
            }
            // Nobody knows where to go on behind an error.
            self.has_ended = true;
            let decoded = match self.fill()? {
                Filled::Partly => {
                    self.has_ended = false;
                    continue;
                }
                Filled::Whole => self.decoder.flush().ok(),
                Filled::Refused => None,
            };
            match decoded {
                Some(rows) => self.ready.extend(rows.map(Read::Rows)),
                None => self.read_one_by_one()?,
            }
            self.has_ended = self.ready.is_empty();
            self.is_first = false;
            self.bytes.clear();
            self.bytes.shrink_to(self.limits.bytes.saturating_mul(2));
            self.of_line = 0;
        }
        Ok(())
    }

    /// Decodes some bytes: a batch is whole where it has enough rows or bytes, or the file ends.
    fn fill(&mut self) -> Result<Filled> {
        let limits = self.limits;
        let found = self.input.fill_buf()?;
        let is_long = self.bytes.len() >= limits.bytes;
        // Above the limit, line by line: a batch ends where a row does, and a line ends at most one.
        let line_end = is_long.then(|| self.format.line_end(found)).flatten();
        let taken = match line_end {
            Some(at) => at + 1,
            None if is_long => found.len(),
            None => found.len().min(limits.bytes - self.bytes.len()),
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
        self.of_line = if rows > before {
            0
        } else {
            self.of_line + used
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

    /// Decodes the lines of a batch one by one, where they can't be together: those that can be are rows.
    ///
    /// A row may have several lines; where they are none, the first is bad, and the second is looked at anew.
    fn read_one_by_one(&mut self) -> Result<()> {
        let mut is_end = self.end_line()?;
        let mut rows = Vec::new();
        let mut start = match self.is_first && self.format.has_header() {
            true => self.format.first_line(&self.bytes).len(),
            false => 0,
        };
        while start < self.bytes.len() {
            match self.row(&self.bytes[start..], is_end)? {
                Row::Is { bytes, rows: found } => {
                    rows.extend(found);
                    start += bytes;
                }
                Row::GoesOn => {
                    let more = AT_ONCE.max(self.bytes.len()) as u64;
                    let mut input = io::Read::take(&mut self.input, more);
                    io::Read::read_to_end(&mut input, &mut self.bytes)?;
                    is_end = self.end_line()?;
                }
                Row::Bad(error) => {
                    self.add(&mut rows)?;
                    self.ready.push_back(Read::Bad(error));
                    start += self.format.first_line(&self.bytes[start..]).len();
                }
            }
        }
        self.add(&mut rows)?;
        self.decoder = self.format.decoder(self.limits.rows, false)?;
        Ok(())
    }

    /// Decodes the row, or the rows, that begin with the first of some lines.
    fn row(&self, bytes: &[u8], is_end: bool) -> Result<Row> {
        let line = self.format.first_line(bytes);
        if self.format.is_no_row(line) {
            let bytes = line.len();
            return Ok(Row::Is { bytes, rows: None });
        }
        let mut decoder = self.format.decoder(self.limits.rows, false)?;
        let mut decoded = 0;
        while decoded < bytes.len() {
            let line = self.format.first_line(&bytes[decoded..]);
            match decoder.decode(line) {
                Ok(all) if all == line.len() => decoded += all,
                Ok(_) => {
                    let rows = self.limits.rows;
                    let message = format!("expected at most {rows} rows in a line, found more");
                    return Ok(Row::Bad(DataFusionError::Execution(message)));
                }
                Err(error) => return Ok(Row::Bad(error)),
            }
            if decoder.rows() > 0 && !decoder.is_within_row() {
                break;
            }
            if decoded > self.limits.line {
                return Ok(Row::Bad(too_long(self.limits)));
            }
        }
        if decoder.rows() == 0 || decoder.is_within_row() {
            if !is_end {
                return Ok(Row::GoesOn);
            }
            // No bytes: the decoder is told that the file ends.
            if let Err(error) = decoder.decode(&[]) {
                return Ok(Row::Bad(error));
            }
        }
        Ok(match decoder.flush() {
            Ok(rows) => Row::Is {
                bytes: decoded,
                rows,
            },
            Err(error) => Row::Bad(error),
        })
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

    /// Reads what is left of the line that the batch ends within; tells whether the file ends there.
    fn end_line(&mut self) -> Result<bool> {
        let most = self.bytes.len().saturating_add(self.limits.line);
        loop {
            let found = self.input.fill_buf()?;
            let last = self.bytes.len().saturating_sub(1);
            if found.is_empty() || self.format.line_end(&self.bytes[last..]).is_some() {
                return Ok(found.is_empty());
            }
            let taken = self.format.first_line(found).len();
            self.bytes.extend_from_slice(&found[..taken]);
            self.input.consume(taken);
            if self.bytes.len() > most {
                return Err(too_long(self.limits));
            }
        }
    }
}

/// What a line begins.
enum Row {
    /// A row, or several, of so many bytes; none where the line is blank.
    Is {
        bytes: usize,
        rows: Option<RecordBatch>,
    },
    /// A row that ends behind the bytes that are there.
    GoesOn,
    Bad(DataFusionError),
}

impl Iterator for Lines {
    type Item = Result<Read>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Err(error) = self.prepare(|_| false) {
            return Some(Err(error));
        }
        self.ready.pop_front().map(Ok)
    }
}

fn too_long(limits: Limits) -> DataFusionError {
    let megabytes = limits.line / 1_000_000;
    DataFusionError::ResourcesExhausted(format!(
        "a line of more than {megabytes} MB, which may take more memory than --memory leaves; give it more"
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

    #[test]
    fn a_bad_line_is_one_row_among_others() {
        let every = Limits {
            rows: 1000,
            bytes: usize::MAX,
            ..LIMITS
        };
        let json = "{\"id\": 1}\n{\"id\": nothing}\n\n{\"id\": 2, \"text\": \"open}\n{\"id\": 3}\n{\"id\":\n4}\n{\"id\": \"x\"}\n{\"id\": 5";
        let of_csv = "id,text\n1,\nzzz,\n\n2,\"open\n3,\n\"4\",\"\n\"\n5,a,b\n6,\"";
        for limits in [every, LIMITS, Limits { bytes: 1, ..LIMITS }] {
            let found = rows(read(json, Format::Json(schema()), limits)).concat();
            let found: Vec<_> = found.iter().map(|row| row.split(':').next()).collect();
            let expected = ["1 ", "bad", "bad", "3 ", "4 ", "bad", "bad"];
            assert_eq!(found, expected.map(Some), "{limits:?}");
            let found = rows(read(of_csv, csv(CsvOptions::default()), limits)).concat();
            let found: Vec<_> = found.iter().map(|row| row.split(':').next()).collect();
            // What is behind a quote that is not closed is text until the next.
            assert_eq!(found[..2], [Some("1 "), Some("bad")], "{limits:?}");
            assert!(found.contains(&Some("bad")), "{found:?}");
        }
    }
}
