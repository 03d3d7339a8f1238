//! A format for tests: a message is a line of words, each a row; `bad` can be neither read nor written.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, BinaryBuilder, RecordBatch, StringViewBuilder};
use datafusion::arrow::datatypes::SchemaRef;

use lexstream_codec::{CodecError, Decoded, Decoder, Encoded, Encoder, Format};

#[derive(Debug)]
pub(super) struct Words;

#[derive(Debug)]
struct OfSchema(SchemaRef);

impl Format for Words {
    fn name(&self) -> &'static str {
        "words"
    }

    fn decoder(&self, schema: &SchemaRef) -> Result<Arc<dyn Decoder>, CodecError> {
        Ok(Arc::new(OfSchema(Arc::clone(schema))))
    }

    fn encoder(&self, schema: &SchemaRef) -> Result<Arc<dyn Encoder>, CodecError> {
        Ok(Arc::new(OfSchema(Arc::clone(schema))))
    }
}

impl Decoder for OfSchema {
    fn decode(&self, messages: &[Option<&[u8]>]) -> Decoded {
        let (mut words, mut places, mut failed) = (StringViewBuilder::new(), vec![], vec![]);
        for (place, message) in (0_u32..).zip(messages) {
            let text = message.map(|message| std::str::from_utf8(message).expect("UTF-8"));
            match text {
                None => {
                    words.append_null();
                    places.push(place);
                }
                Some("bad") => failed.push((
                    place,
                    CodecError::Message {
                        expected: "words".to_owned(),
                        found: "bad".to_owned(),
                    },
                )),
                Some(text) => {
                    for word in text.split_whitespace() {
                        words.append_value(word);
                        places.push(place);
                    }
                }
            }
        }
        let words: ArrayRef = Arc::new(words.finish());
        Decoded {
            batch: RecordBatch::try_new(Arc::clone(&self.0), vec![words]).expect("one column"),
            messages: places,
            failed,
        }
    }
}

impl Encoder for OfSchema {
    fn encode(&self, rows: &RecordBatch, sources: &[u32]) -> Encoded {
        let words = rows.column(0).as_string_view();
        let (mut values, mut firsts, mut failed) = (BinaryBuilder::new(), vec![], vec![]);
        let mut line: Option<(u32, String)> = None;
        for (row, (word, source)) in (0_u32..).zip(words.iter().zip(sources)) {
            if word == Some("bad") {
                let reason = "bad".to_owned();
                let error = CodecError::Row {
                    format: "words",
                    reason,
                };
                failed.push((row, error));
                continue;
            }
            let word = word.unwrap_or("NULL");
            match &mut line {
                Some((of, text)) if of == source => {
                    text.push(' ');
                    text.push_str(word);
                }
                _ => {
                    if let Some((_, text)) = line.take() {
                        values.append_value(text);
                    }
                    firsts.push(row);
                    line = Some((*source, word.to_owned()));
                }
            }
        }
        if let Some((_, text)) = line {
            values.append_value(text);
        }
        Encoded {
            values: values.finish(),
            rows: firsts,
            failed,
        }
    }
}
