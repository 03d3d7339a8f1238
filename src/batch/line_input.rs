//! Files of lines, NDJSON and CSV, cut into batches by their bytes too: DataFusion's readers count rows alone.

use std::io::{BufRead, BufReader, Read};
use std::{iter, mem};

use arrow::csv;
use arrow::json;
use datafusion::arrow::array::RecordBatch;
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

/// Turns lines into rows.
pub(super) enum Decoder {
    Json(json::reader::Decoder),
    Csv(Box<csv::reader::Decoder>),
}

impl Decoder {
    /// Returns a decoder of JSON objects, one after the other.
    pub(super) fn json(schema: SchemaRef, limits: Limits) -> Result<Self> {
        let builder = json::ReaderBuilder::new(schema).with_batch_size(limits.rows);
        Ok(Self::Json(builder.build_decoder()?))
    }

    /// Returns a decoder of some columns of CSV, as DataFusion reads it.
    pub(super) fn csv(
        source: &CsvSource,
        schema: SchemaRef,
        columns: Vec<usize>,
        limits: Limits,
    ) -> Self {
        let mut builder = csv::ReaderBuilder::new(schema)
            .with_batch_size(limits.rows)
            .with_delimiter(source.delimiter())
            .with_header(source.has_header())
            .with_quote(source.quote())
            .with_truncated_rows(source.truncate_rows())
            .with_projection(columns);
        if let Some(terminator) = source.terminator() {
            builder = builder.with_terminator(terminator);
        }
        if let Some(escape) = source.escape() {
            builder = builder.with_escape(escape);
        }
        if let Some(comment) = source.comment() {
            builder = builder.with_comment(comment);
        }
        Self::Csv(Box::new(builder.build_decoder()))
    }

    fn decode(&mut self, bytes: &[u8]) -> Result<usize> {
        Ok(match self {
            Self::Json(decoder) => decoder.decode(bytes)?,
            Self::Csv(decoder) => decoder.decode(bytes)?,
        })
    }

    fn flush(&mut self) -> Result<Option<RecordBatch>> {
        Ok(match self {
            Self::Json(decoder) => decoder.flush()?,
            Self::Csv(decoder) => decoder.flush()?,
        })
    }

    /// Returns how many rows are whole.
    fn rows(&self, limits: Limits) -> usize {
        match self {
            Self::Json(decoder) => decoder.len() - usize::from(decoder.has_partial_record()),
            Self::Csv(decoder) => limits.rows - decoder.capacity(),
        }
    }
}

/// Reads the batches of a file.
pub(super) fn batches(
    input: Box<dyn Read + Send>,
    mut decoder: Decoder,
    limits: Limits,
    terminator: u8,
) -> impl Iterator<Item = Result<RecordBatch>> {
    let mut input = BufReader::with_capacity(AT_ONCE, input);
    iter::from_fn(move || {
        let filled = fill(&mut decoder, &mut input, limits, terminator);
        filled.and_then(|()| decoder.flush()).transpose()
    })
    // What is behind an error nobody knows where to begin with.
    .scan(false, |has_failed, batch| {
        let goes_on = !mem::replace(has_failed, batch.is_err());
        goes_on.then_some(batch)
    })
}

/// Decodes lines until a batch is full, or the file ends.
fn fill(
    decoder: &mut Decoder,
    input: &mut impl BufRead,
    limits: Limits,
    terminator: u8,
) -> Result<()> {
    // Bytes of the batch, and of it those since the last row that is known to have ended.
    let (mut bytes, mut of_line) = (0, 0);
    loop {
        let found = input.fill_buf()?;
        // Above the limit, line by line: a batch ends where a row does.
        let line_end = (bytes >= limits.bytes)
            .then(|| found.iter().position(|byte| *byte == terminator))
            .flatten();
        let taken = match line_end {
            Some(at) => at + 1,
            None if bytes < limits.bytes => found.len().min(limits.bytes - bytes),
            None => found.len(),
        };
        let before = decoder.rows(limits);
        // No bytes: the decoder is told that the file ends.
        let decoded = decoder.decode(&found[..taken])?;
        input.consume(decoded);
        bytes += decoded;
        let rows = decoder.rows(limits);
        of_line = if rows > before { 0 } else { of_line + decoded };
        if of_line > limits.line {
            let message = format!(
                "a line of more than {} MB, which may take more memory than --memory leaves; give it more",
                limits.line / 1_000_000
            );
            return Err(DataFusionError::ResourcesExhausted(message));
        }
        let ends_row = line_end.is_some() && rows > before;
        if decoded == 0 || rows >= limits.rows || ends_row {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;
    use std::sync::Arc;

    use datafusion::arrow::compute::concat_batches;
    use datafusion::arrow::datatypes::{DataType, Field, Schema};

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

    fn csv_decoder(rows: usize, terminator: u8) -> Decoder {
        let builder = csv::ReaderBuilder::new(schema()).with_batch_size(rows);
        let builder = match terminator {
            b'\n' => builder,
            other => builder.with_terminator(other),
        };
        Decoder::Csv(Box::new(builder.with_header(true).build_decoder()))
    }

    fn read(
        text: &str,
        decoder: Decoder,
        limits: Limits,
        terminator: u8,
    ) -> Vec<Result<RecordBatch>> {
        let input = Box::new(Cursor::new(text.to_owned()));
        batches(input, decoder, limits, terminator).collect()
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
        let json = |limits| Decoder::json(schema(), limits).expect("a decoder");
        let every = Limits {
            rows: 1000,
            bytes: usize::MAX,
            ..LIMITS
        };
        let mut sizes = Vec::new();
        for (text, whole, cut) in [
            (&in_csv, csv_decoder(1000, b'\n'), csv_decoder(7, b'\n')),
            (&in_json, json(every), json(LIMITS)),
        ] {
            let found = |batches: Vec<Result<RecordBatch>>| -> Vec<_> {
                batches
                    .into_iter()
                    .map(|batch| batch.expect("rows"))
                    .collect()
            };
            let whole = found(read(text, whole, every, b'\n'));
            let cut = found(read(text, cut, LIMITS, b'\n'));
            sizes.push(cut.iter().map(RecordBatch::num_rows).collect());
            let join = |batches: &[RecordBatch]| concat_batches(&schema(), batches).expect("rows");
            assert_eq!(join(&whole).num_rows(), texts.len());
            assert!(join(&whole) == join(&cut), "{text}");
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
    fn other_terminators_end_lines_too() {
        let text = "id,text;1,a\nb;2,c;3,d";
        let limits = Limits { bytes: 1, ..LIMITS };
        let found = read(text, csv_decoder(7, b';'), limits, b';');
        let rows: Vec<_> = found
            .iter()
            .map(|batch| batch.as_ref().map(RecordBatch::num_rows))
            .collect();
        assert_eq!(rows.len(), 3, "{rows:?}");
        assert!(rows.iter().all(|rows| matches!(rows, Ok(1))), "{rows:?}");
    }

    #[test]
    fn a_line_without_an_end_is_refused_before_it_is_whole() {
        let limits = Limits {
            line: 1 << 20,
            ..LIMITS
        };
        let text = format!("{{\"text\": \"{}\"}}", "x".repeat(4 << 20));
        let decoder = Decoder::json(schema(), limits).expect("a decoder");
        let found = read(&text, decoder, limits, b'\n');
        let [Err(error)] = found.as_slice() else {
            panic!("{found:?}")
        };
        assert!(
            error.to_string().contains("a line of more than 1 MB"),
            "{error}"
        );
        // Many lines may be longer together.
        let text = "{\"id\": 1}\n".repeat(300_000);
        let decoder = Decoder::json(schema(), limits).expect("a decoder");
        let found = read(&text, decoder, limits, b'\n');
        let rows = found
            .into_iter()
            .map(|batch| batch.expect("rows").num_rows());
        assert_eq!(rows.sum::<usize>(), 300_000);
    }

    #[test]
    fn nothing_comes_behind_an_error() {
        let text = "{\"id\": 1}\n{\"id\": nothing}\n{\"id\": 2}\n";
        let limits = Limits { rows: 1, ..LIMITS };
        let decoder = Decoder::json(schema(), limits).expect("a decoder");
        let found = read(text, decoder, limits, b'\n');
        assert!(matches!(found.as_slice(), [Ok(_), Err(_)]), "{found:?}");
        let decoder = Decoder::json(schema(), limits).expect("a decoder");
        let found = read("{\"id\": 1}\n{\"id\": 2", decoder, limits, b'\n');
        assert!(matches!(found.as_slice(), [Ok(_), Err(_)]), "{found:?}");
    }
}
