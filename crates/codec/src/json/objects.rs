//! Arrays written as JSON.

use std::ops::Range;

use arrow::array::*;
use arrow::buffer::NullBuffer;
use arrow::datatypes::DataType;
use lexstream_text::append::{AT_ONCE, append};

use crate::cells::{Cells, Form};

/// The values of one array.
pub(super) struct Values<'a> {
    nulls: Option<NullBuffer>,
    kind: Kind<'a>,
}

enum Kind<'a> {
    Cells(Cells<'a>),
    /// Texts without a byte that JSON escapes, as the tokens of a batch mostly are.
    Plain(&'a StringArray),
    /// Where list `n` begins and ends is at `n` and `n + 1`.
    Lists(Vec<usize>, Box<Values<'a>>),
    Objects(Vec<Member<'a>>, bool),
}

/// A field of objects, its name in quotes and with a colon.
struct Member<'a> {
    name: String,
    values: Values<'a>,
}

impl<'a> Values<'a> {
    /// Returns the rows of a batch, or a type that JSON can't hold; `nulls` tells whether NULLs are written.
    pub(super) fn rows(rows: &'a RecordBatch, nulls: bool) -> Result<Self, DataType> {
        let schema = rows.schema_ref();
        let mut members = Vec::with_capacity(rows.num_columns());
        for (field, column) in schema.fields().iter().zip(rows.columns()) {
            let member = Member::new(field.name(), column.as_ref(), &(0..rows.num_rows()), nulls);
            members.push(member.ok_or_else(|| field.data_type().clone())?);
        }
        Ok(Values {
            nulls: None,
            kind: Kind::Objects(members, nulls),
        })
    }

    /// Returns the values of an array; none where JSON can't hold its type.
    pub(super) fn new(array: &'a dyn Array, nulls: bool) -> Option<Self> {
        Self::within(array, 0..array.len(), nulls)
    }

    /// Returns the values of an array of which no more than a part is written: a slice of lists has all of their items.
    fn within(array: &'a dyn Array, part: Range<usize>, nulls: bool) -> Option<Self> {
        let lists = |ends: Vec<usize>, values: &'a ArrayRef| {
            let part = ends[part.start]..ends[part.end];
            let values = Values::within(values.as_ref(), part, nulls)?;
            Some(Kind::Lists(ends, Box::new(values)))
        };
        let kind = match array.data_type() {
            DataType::List(_) => {
                let array = array.as_list::<i32>();
                lists(ends(array), array.values())?
            }
            DataType::LargeList(_) => {
                let array = array.as_list::<i64>();
                lists(ends(array), array.values())?
            }
            DataType::FixedSizeList(_, _) => {
                let array = array.as_fixed_size_list();
                let end = |list: usize| array.value_offset(list) as usize;
                lists((0..=array.len()).map(end).collect(), array.values())?
            }
            DataType::Struct(fields) => {
                let columns = fields.iter().zip(array.as_struct().columns());
                let member =
                    columns.map(|(field, column)| Member::new(field.name(), column, &part, nulls));
                Kind::Objects(member.collect::<Option<_>>()?, nulls)
            }
            DataType::Utf8 if has_no_escapes(array.as_string(), &part) => {
                Kind::Plain(array.as_string())
            }
            _ => Kind::Cells(Cells::new(array)?),
        };
        Some(Values {
            nulls: array.nulls().cloned(),
            kind,
        })
    }

    fn is_null(&self, row: usize) -> bool {
        self.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row))
    }

    /// Writes a value that is not NULL, or says why it can't be written.
    pub(super) fn write(
        &self,
        row: usize,
        out: &mut Vec<u8>,
        scratch: &mut String,
    ) -> Result<(), String> {
        match &self.kind {
            Kind::Cells(cells) => {
                let text = cells.text(row, scratch)?;
                match cells.form {
                    Form::Bare => out.extend_from_slice(text.as_bytes()),
                    Form::Plain => {
                        out.push(b'"');
                        out.extend_from_slice(text.as_bytes());
                        out.push(b'"');
                    }
                    Form::Text => quote(text, out),
                }
            }
            Kind::Plain(texts) => {
                out.push(b'"');
                out.extend_from_slice(texts.value(row).as_bytes());
                out.push(b'"');
            }
            Kind::Lists(ends, values) => {
                out.push(b'[');
                if let Kind::Plain(texts) = values.kind
                    && values.nulls.is_none()
                {
                    plain_texts(texts, ends[row]..ends[row + 1], out);
                    out.push(b']');
                    return Ok(());
                }
                for place in ends[row]..ends[row + 1] {
                    if place > ends[row] {
                        out.push(b',');
                    }
                    match values.is_null(place) {
                        true => out.extend_from_slice(b"null"),
                        false => values.write(place, out, scratch)?,
                    }
                }
                out.push(b']');
            }
            Kind::Objects(members, nulls) => {
                out.push(b'{');
                let mut first = true;
                for member in members {
                    let null = member.values.is_null(row);
                    if null && !nulls {
                        continue;
                    }
                    if !std::mem::take(&mut first) {
                        out.push(b',');
                    }
                    out.extend_from_slice(member.name.as_bytes());
                    match null {
                        true => out.extend_from_slice(b"null"),
                        false => member.write(row, out, scratch)?,
                    }
                }
                out.push(b'}');
            }
        }
        Ok(())
    }
}

impl<'a> Member<'a> {
    fn new(name: &str, array: &'a dyn Array, part: &Range<usize>, nulls: bool) -> Option<Self> {
        let mut quoted = Vec::with_capacity(name.len() + 3);
        quote(name, &mut quoted);
        quoted.push(b':');
        Some(Member {
            name: String::from_utf8(quoted).ok()?,
            values: Values::within(array, part.clone(), nulls)?,
        })
    }

    /// Writes the field's value; the reason why not names the field.
    fn write(&self, row: usize, out: &mut Vec<u8>, scratch: &mut String) -> Result<(), String> {
        let written = self.values.write(row, out, scratch);
        written.map_err(|reason| {
            let name = self.name.trim_end_matches(':').trim_matches('"');
            format!("`{name}`: {reason}")
        })
    }
}

fn ends<O: OffsetSizeTrait>(array: &GenericListArray<O>) -> Vec<usize> {
    array.offsets().iter().map(|end| end.as_usize()).collect()
}

/// Tells whether JSON escapes no byte of a part of these texts.
fn has_no_escapes(texts: &StringArray, part: &Range<usize>) -> bool {
    let offsets = texts.value_offsets();
    let (first, last) = (offsets[part.start] as usize, offsets[part.end] as usize);
    let mut pieces = texts.value_data()[first..last].chunks(64);
    pieces.all(|piece| !has_escapes(piece))
}

/// Writes texts that have nothing to escape in quotes, with commas between them.
fn plain_texts(texts: &StringArray, range: Range<usize>, out: &mut Vec<u8>) {
    let (offsets, bytes) = (texts.value_offsets(), texts.value_data());
    let offsets = &offsets[range.start..=range.end];
    let (first, last) = (offsets[0] as usize, offsets[offsets.len() - 1] as usize);
    out.reserve(last - first + 3 * offsets.len() + AT_ONCE);
    for pair in offsets.windows(2) {
        let (start, end) = (pair[0] as usize, pair[1] as usize);
        out.push(b'"');
        append(out, &bytes[start..], end - start);
        out.extend_from_slice(b"\",");
    }
    if !range.is_empty() {
        out.pop();
    }
}

fn is_escaped(byte: u8) -> bool {
    (byte < b' ') | (byte == b'"') | (byte == b'\\')
}

fn has_escapes(piece: &[u8]) -> bool {
    piece
        .iter()
        .fold(false, |any, byte| any | is_escaped(*byte))
}

/// Writes a text in quotes, with the escapes that JSON asks for.
fn quote(text: &str, out: &mut Vec<u8>) {
    out.reserve(text.len() + 2);
    out.push(b'"');
    let bytes = text.as_bytes();
    let mut written = 0;
    // Most pieces have nothing to escape, which is seen at once.
    for (place, piece) in bytes.chunks(32).enumerate() {
        if !has_escapes(piece) {
            continue;
        }
        for (byte, at) in piece.iter().zip(place * 32..) {
            if is_escaped(*byte) {
                out.extend_from_slice(&bytes[written..at]);
                escape(*byte, out);
                written = at + 1;
            }
        }
    }
    out.extend_from_slice(&bytes[written..]);
    out.push(b'"');
}

fn escape(byte: u8, out: &mut Vec<u8>) {
    let letter = match byte {
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        0x8 => b'b',
        0xc => b'f',
        0..=0x1f => {
            out.extend_from_slice(format!("\\u{byte:04x}").as_bytes());
            return;
        }
        _ => byte,
    };
    out.extend_from_slice(&[b'\\', letter]);
}
