//! A column of booleans.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, BooleanBufferBuilder};
use arrow::buffer::NullBuffer;

use super::{Leaf, Scalar};

/// Booleans in the making.
pub(super) struct Booleans {
    values: BooleanBufferBuilder,
    valid: BooleanBufferBuilder,
}

impl Booleans {
    /// Returns none, with room for `capacity`.
    pub(super) fn new(capacity: usize) -> Self {
        Booleans {
            values: BooleanBufferBuilder::new(capacity),
            valid: BooleanBufferBuilder::new(capacity),
        }
    }
}

impl Leaf for Booleans {
    fn push(&mut self, scalar: Scalar<'_>) -> Result<(), String> {
        let value = match scalar {
            Scalar::Boolean(value) => value,
            Scalar::Field("true") => true,
            Scalar::Field("false") => false,
            _ => return Err("true or false".to_owned()),
        };
        self.values.append(value);
        self.valid.append(true);
        Ok(())
    }

    fn push_null(&mut self) {
        self.values.append(false);
        self.valid.append(false);
    }

    fn len(&self) -> usize {
        self.values.len()
    }

    fn truncate(&mut self, len: usize) {
        self.values.truncate(len);
        self.valid.truncate(len);
    }

    fn finish(mut self: Box<Self>) -> ArrayRef {
        let nulls = NullBuffer::new(self.valid.finish());
        Arc::new(BooleanArray::new(self.values.finish(), Some(nulls)))
    }
}
