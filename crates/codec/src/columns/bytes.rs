//! Columns of text and of bytes.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, FixedSizeBinaryArray, GenericBinaryArray, GenericStringArray, NullBufferBuilder,
    OffsetSizeTrait,
};
use arrow::buffer::{Buffer, OffsetBuffer};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use arrow::error::ArrowError;
use base64::prelude::{BASE64_STANDARD, Engine};

use super::{Leaf, Scalar};

/// What is made of the bytes.
#[derive(Debug, Clone, Copy)]
enum Form {
    Binary,
    BinaryView,
    Fixed(usize),
    Text,
    TextView,
}

/// Text or bytes in the making, end to end.
pub(crate) struct Bytes<O: OffsetSizeTrait> {
    form: Form,
    values: Vec<u8>,
    offsets: Vec<O>,
    nulls: NullBufferBuilder,
}

impl<O: OffsetSizeTrait> Bytes<O> {
    /// Returns a column without values; none where the type is neither text nor bytes of offsets `O`.
    pub(crate) fn new(data_type: &DataType, capacity: usize) -> Option<Self> {
        let form = match data_type {
            DataType::Binary if !O::IS_LARGE => Form::Binary,
            DataType::BinaryView if !O::IS_LARGE => Form::BinaryView,
            DataType::FixedSizeBinary(size) if O::IS_LARGE && *size > 0 => {
                Form::Fixed(usize::try_from(*size).ok()?)
            }
            DataType::LargeBinary if O::IS_LARGE => Form::Binary,
            DataType::LargeUtf8 if O::IS_LARGE => Form::Text,
            DataType::Utf8 if !O::IS_LARGE => Form::Text,
            DataType::Utf8View if !O::IS_LARGE => Form::TextView,
            _ => return None,
        };
        let mut offsets = Vec::with_capacity(capacity + 1);
        offsets.push(O::zero());
        Some(Bytes {
            form,
            values: Vec::new(),
            offsets,
            nulls: NullBufferBuilder::new(capacity),
        })
    }

    /// Makes room for bytes.
    pub(crate) fn reserve(&mut self, bytes: usize) {
        self.values.reserve(bytes);
    }

    /// Adds a value as it is; text must be UTF-8.
    pub(crate) fn push_bytes(&mut self, bytes: &[u8]) -> Result<(), String> {
        self.values.extend_from_slice(bytes);
        self.close()
    }

    /// Ends the value whose bytes were added, or takes them away.
    fn close(&mut self) -> Result<(), String> {
        let Some(end) = O::from_usize(self.values.len()) else {
            self.truncate(self.len());
            return Err("at most 2 GiB of text in a batch".to_owned());
        };
        self.offsets.push(end);
        self.nulls.append_non_null();
        Ok(())
    }

    /// Returns the values; text that is no UTF-8 is an error.
    pub(crate) fn try_finish(mut self) -> Result<ArrayRef, ArrowError> {
        let nulls = self.nulls.finish();
        let offsets = OffsetBuffer::new(self.offsets.into());
        let values = Buffer::from_vec(self.values);
        Ok(match self.form {
            Form::Binary => Arc::new(GenericBinaryArray::try_new(offsets, values, nulls)?),
            Form::BinaryView => {
                let array = GenericBinaryArray::try_new(offsets, values, nulls)?;
                cast(&array, &DataType::BinaryView)?
            }
            Form::Fixed(size) => {
                Arc::new(FixedSizeBinaryArray::try_new(size as i32, values, nulls)?)
            }
            Form::Text => Arc::new(GenericStringArray::try_new(offsets, values, nulls)?),
            Form::TextView => {
                let array = GenericStringArray::try_new(offsets, values, nulls)?;
                cast(&array, &DataType::Utf8View)?
            }
        })
    }

    fn decode_base64(&mut self, text: &str) -> Result<(), String> {
        let start = self.values.len();
        let decoded = BASE64_STANDARD.decode_vec(text, &mut self.values);
        let size = self.values.len() - start;
        let fits = match self.form {
            Form::Fixed(expected) => size == expected,
            _ => true,
        };
        if decoded.is_ok() && fits {
            return self.close();
        }
        self.values.truncate(start);
        Err(match self.form {
            Form::Fixed(size) => format!("{size} bytes in base64"),
            _ => "base64".to_owned(),
        })
    }
}

impl<O: OffsetSizeTrait> Leaf for Bytes<O> {
    fn push(&mut self, scalar: Scalar<'_>) -> Result<(), String> {
        match (self.form, scalar) {
            (Form::Text | Form::TextView, Scalar::Field(text) | Scalar::Text(text)) => {
                self.push_bytes(text.as_bytes())
            }
            (Form::Text | Form::TextView, _) => Err("text".to_owned()),
            (_, Scalar::Field(text) | Scalar::Text(text)) => self.decode_base64(text),
            _ => Err("base64".to_owned()),
        }
    }

    fn push_null(&mut self) {
        // A NULL of fixed size takes its place too.
        if let Form::Fixed(size) = self.form {
            self.values.resize(self.values.len() + size, 0);
        }
        let end = O::from_usize(self.values.len());
        self.offsets
            .push(end.expect("a NULL takes a place only where offsets are of 64 bits"));
        self.nulls.append_null();
    }

    fn len(&self) -> usize {
        self.offsets.len() - 1
    }

    fn truncate(&mut self, len: usize) {
        self.offsets.truncate(len + 1);
        self.nulls.truncate(len);
        self.values.truncate(self.offsets[self.len()].as_usize());
    }

    fn finish(self: Box<Self>) -> ArrayRef {
        self.try_finish().expect("text is added as UTF-8")
    }
}
