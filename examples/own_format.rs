//! A message format of one's own, from outside Lexstream: lines of `key=value`. `cargo run --example own_format`
//!
//! Registered with the engine, it is a `'format'` that tables of topics name, read and written by queries and streams.

use std::num::NonZeroU16;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, BinaryBuilder, RecordBatch, StringBuilder};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, SchemaRef};
use datafusion::arrow::util::pretty::print_batches;
use lexstream::codec::{
    CodecError, Decoded, Decoder, Encoded, Encoder, Format, FormatOption, FormatOptions,
    MessageFormat,
};
use lexstream::kafka::EmbeddedBroker;

/// What stands between two pairs.
const SEPARATOR: FormatOption = FormatOption {
    name: "pairs.separator",
    default: ";",
    description: "What stands between two pairs: one ASCII character.",
};

/// The format `pairs`: columns of text, as `id=7;text=all good`. A value holds no separator; one that is NULL is left out.
#[derive(Debug)]
struct Pairs;

impl MessageFormat for Pairs {
    fn name(&self) -> &'static str {
        "pairs"
    }

    fn options(&self) -> &'static [FormatOption] {
        &[SEPARATOR]
    }

    fn open(&self, options: &mut FormatOptions) -> Result<Arc<dyn Format>, CodecError> {
        match SEPARATOR.take_ascii(options)? {
            Some(separator) => Ok(Arc::new(Open { separator })),
            None => Err(SEPARATOR.refuse("one ASCII character", String::new())),
        }
    }
}

/// The format with its separator.
#[derive(Debug)]
struct Open {
    separator: u8,
}

impl Format for Open {
    fn name(&self) -> &'static str {
        "pairs"
    }

    fn decoder(&self, schema: &SchemaRef) -> Result<Arc<dyn Decoder>, CodecError> {
        Ok(Arc::new(PairsCodec::try_new(self.separator, schema)?))
    }

    fn encoder(&self, schema: &SchemaRef) -> Result<Arc<dyn Encoder>, CodecError> {
        Ok(Arc::new(PairsCodec::try_new(self.separator, schema)?))
    }
}

/// Reads and writes rows of a schema whose columns are all text.
#[derive(Debug)]
struct PairsCodec {
    separator: char,
    schema: SchemaRef,
}

impl PairsCodec {
    fn try_new(separator: u8, schema: &SchemaRef) -> Result<Self, CodecError> {
        let mut fields = schema.fields().iter();
        if let Some(field) = fields.find(|field| !is_text(field.data_type())) {
            return Err(CodecError::Schema {
                format: "pairs",
                expected: "columns of VARCHAR".to_owned(),
                found: format!("`{}` of {}", field.name(), field.data_type()),
            });
        }
        Ok(Self {
            separator: char::from(separator),
            schema: Arc::clone(schema),
        })
    }

    /// Returns the place of each pair's column, and its value.
    fn pairs<'a>(&self, message: &'a [u8]) -> Result<Vec<(usize, &'a str)>, CodecError> {
        let text = std::str::from_utf8(message)
            .map_err(|error| CodecError::message("text in UTF-8", error.to_string()))?;
        let pairs = text.split(self.separator).filter(|pair| !pair.is_empty());
        let read = pairs.map(|pair| {
            let pair_of = |pair: &'a str| pair.split_once('=');
            let (key, value) = pair_of(pair)
                .ok_or_else(|| CodecError::message("key=value", format!("`{pair}`")))?;
            let place = self.schema.index_of(key);
            let place =
                place.map_err(|_| CodecError::message("a column's name", format!("`{key}`")))?;
            Ok((place, value))
        });
        read.collect()
    }
}

fn is_text(data_type: &DataType) -> bool {
    matches!(
        data_type,
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View
    )
}

impl Decoder for PairsCodec {
    fn decode(&self, messages: &[Option<&[u8]>]) -> Decoded {
        let mut columns: Vec<StringBuilder> = Vec::new();
        columns.resize_with(self.schema.fields().len(), StringBuilder::new);
        let (mut read, mut failed) = (Vec::new(), Vec::new());
        for (place, message) in (0..).zip(messages) {
            match self.pairs(message.unwrap_or_default()) {
                Ok(pairs) => {
                    for (at, column) in columns.iter_mut().enumerate() {
                        let pair = pairs.iter().find(|(of, _)| *of == at);
                        column.append_option(pair.map(|(_, value)| *value));
                    }
                    read.push(place);
                }
                Err(error) => failed.push((place, error)),
            }
        }
        let fields = self.schema.fields().iter();
        let columns = columns.iter_mut().zip(fields).map(|(column, field)| {
            cast(&column.finish(), field.data_type()).expect("text is cast to text")
        });
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), columns.collect());
        Decoded {
            batch: batch.expect("columns of the schema's types"),
            messages: read,
            failed,
        }
    }
}

impl Encoder for PairsCodec {
    fn encode(&self, rows: &RecordBatch, _sources: &[u32]) -> Encoded {
        let texts: Vec<ArrayRef> = rows
            .columns()
            .iter()
            .map(|column| cast(column, &DataType::Utf8).expect("text is cast to text"))
            .collect();
        let (mut values, mut written, mut failed) = (BinaryBuilder::new(), Vec::new(), Vec::new());
        for row in 0..rows.num_rows() {
            let columns = self.schema.fields().iter().zip(&texts);
            let pairs = columns.filter(|(_, texts)| texts.is_valid(row));
            let pairs: Vec<_> = pairs
                .map(|(field, texts)| {
                    format!("{}={}", field.name(), texts.as_string::<i32>().value(row))
                })
                .collect();
            let place = u32::try_from(row).expect("a batch has fewer rows than 2^32");
            match pairs.iter().find(|pair| pair.contains(self.separator)) {
                Some(pair) => failed.push((
                    place,
                    CodecError::Row {
                        format: "pairs",
                        reason: format!("`{pair}` holds the separator"),
                    },
                )),
                None => {
                    values.append_value(pairs.join(&self.separator.to_string()));
                    written.push(place);
                }
            }
        }
        Encoded {
            values: values.finish(),
            rows: written,
            failed,
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let broker = EmbeddedBroker::start(NonZeroU16::MIN)?;
    broker.create_topic("notes", NonZeroU16::MIN)?;
    let engine = lexstream::builder().format(Arc::new(Pairs)).build()?;
    let address = broker.address();
    engine
        .sql(&format!(
            "CREATE EXTERNAL TABLE notes (id VARCHAR, text VARCHAR) STORED AS KAFKA \
             LOCATION 'kafka://{address}/notes' OPTIONS ('format' 'pairs', 'pairs.separator' '|')"
        ))
        .await?;
    let insert = "INSERT INTO notes VALUES ('1', 'all good'), ('2', NULL)";
    engine.sql(insert).await?.collect().await?;
    let rows = engine
        .sql("SELECT id, tokenize(text) AS words FROM notes ORDER BY id")
        .await?;
    print_batches(&rows.collect().await?)?;
    Ok(())
}
