//! Scalars of an array as text.

use std::fmt::{Debug, Write};

use arrow::array::timezone::Tz;
use arrow::array::*;
use arrow::buffer::NullBuffer;
use arrow::datatypes::*;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use base64::prelude::{BASE64_STANDARD, Engine};

/// The scalars of one array.
pub(super) struct Cells<'a> {
    nulls: Option<NullBuffer>,
    values: Box<dyn Values<'a> + 'a>,
    /// What the text is.
    pub(super) form: Form,
}

/// What the text of a scalar is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// A number, or `true` and `false`: what JSON has without quotes.
    Bare,
    /// Text of letters, digits and signs that no format has to escape.
    Plain,
    /// Any text.
    Text,
}

/// Writes a scalar as text.
trait Values<'a> {
    /// Returns the text of a scalar that is not NULL; `scratch` is room for it.
    fn text<'s>(&'s self, row: usize, scratch: &'s mut String) -> Result<&'s str, String>
    where
        'a: 's;
}

impl<'a> Cells<'a> {
    /// Returns the scalars of an array; none where its type is not of scalars.
    pub(super) fn new(array: &'a dyn Array) -> Option<Self> {
        use DataType::*;
        use Form::*;
        macro_rules! shown {
            ($($variant:ident: $array:ty),*) => {
                match array.data_type() {
                    $($variant => (Box::new(Shown(array.as_any().downcast_ref::<$array>()?)), Bare),)*
                    _ => return None,
                }
            };
        }
        let (values, form): (Box<dyn Values<'a> + 'a>, Form) = match array.data_type() {
            Utf8 => (Box::new(Texts(array.as_string::<i32>())), Text),
            LargeUtf8 => (Box::new(Texts(array.as_string::<i64>())), Text),
            Utf8View => (Box::new(Texts(array.as_string_view())), Text),
            Binary => (Box::new(Base64(array.as_binary::<i32>())), Plain),
            LargeBinary => (Box::new(Base64(array.as_binary::<i64>())), Plain),
            BinaryView => (Box::new(Base64(array.as_binary_view())), Plain),
            FixedSizeBinary(_) => (Box::new(Base64(array.as_fixed_size_binary())), Plain),
            Boolean => (Box::new(array.as_boolean()), Bare),
            Float32 => (Box::new(array.as_primitive::<Float32Type>()), Bare),
            Float64 => (Box::new(array.as_primitive::<Float64Type>()), Bare),
            Decimal32(_, _) | Decimal64(_, _) | Decimal128(_, _) | Decimal256(_, _) => {
                (Box::new(Formatted::new(array)?), Bare)
            }
            Timestamp(_, Some(zone)) if zone.parse::<Tz>().is_err() => return None,
            Date32 | Time32(_) | Time64(_) | Timestamp(_, _) => {
                (Box::new(Formatted::new(array)?), Plain)
            }
            _ => shown!(
                Int8: Int8Array, Int16: Int16Array, Int32: Int32Array, Int64: Int64Array,
                UInt8: UInt8Array, UInt16: UInt16Array, UInt32: UInt32Array, UInt64: UInt64Array
            ),
        };
        Some(Cells {
            nulls: array.nulls().cloned(),
            values,
            form,
        })
    }

    /// Tells whether a scalar is NULL.
    pub(super) fn is_null(&self, row: usize) -> bool {
        self.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row))
    }

    /// Returns the text of a scalar that is not NULL, or why it has none; `scratch` is room for it.
    pub(super) fn text<'s>(
        &'s self,
        row: usize,
        scratch: &'s mut String,
    ) -> Result<&'s str, String> {
        scratch.clear();
        self.values.text(row, scratch)
    }
}

/// Text, which is not copied.
struct Texts<A>(A);

impl<'a, A: ArrayAccessor<Item = &'a str>> Values<'a> for Texts<A> {
    fn text<'s>(&'s self, row: usize, _scratch: &'s mut String) -> Result<&'s str, String>
    where
        'a: 's,
    {
        Ok(self.0.value(row))
    }
}

/// Bytes in base64.
struct Base64<A>(A);

impl<'a, A: ArrayAccessor<Item = &'a [u8]>> Values<'a> for Base64<A> {
    fn text<'s>(&'s self, row: usize, scratch: &'s mut String) -> Result<&'s str, String>
    where
        'a: 's,
    {
        BASE64_STANDARD.encode_string(self.0.value(row), scratch);
        Ok(scratch)
    }
}

impl<'a> Values<'a> for &'a BooleanArray {
    fn text<'s>(&'s self, row: usize, _scratch: &'s mut String) -> Result<&'s str, String>
    where
        'a: 's,
    {
        Ok(if self.value(row) { "true" } else { "false" })
    }
}

/// Whole numbers.
struct Shown<A>(A);

impl<'a, A> Values<'a> for Shown<A>
where
    A: ArrayAccessor,
    A::Item: std::fmt::Display,
{
    fn text<'s>(&'s self, row: usize, scratch: &'s mut String) -> Result<&'s str, String>
    where
        'a: 's,
    {
        write!(scratch, "{}", self.0.value(row)).map_err(|error| error.to_string())?;
        Ok(scratch)
    }
}

/// Floating-point numbers, in the fewest digits that give the same number again.
impl<'a, T> Values<'a> for &'a PrimitiveArray<T>
where
    T: ArrowPrimitiveType,
    T::Native: Debug + Into<f64>,
{
    fn text<'s>(&'s self, row: usize, scratch: &'s mut String) -> Result<&'s str, String>
    where
        'a: 's,
    {
        let value = self.value(row);
        if !value.into().is_finite() {
            return Err(format!("{value:?} is no finite number"));
        }
        write!(scratch, "{value:?}").map_err(|error| error.to_string())?;
        Ok(scratch)
    }
}

/// Decimals, dates and times, as Arrow shows them.
struct Formatted<'a> {
    values: ArrayFormatter<'a>,
    timestamps: bool,
}

impl<'a> Formatted<'a> {
    fn new(array: &'a dyn Array) -> Option<Self> {
        const OPTIONS: FormatOptions<'static> = FormatOptions::new().with_display_error(false);
        Some(Formatted {
            values: ArrayFormatter::try_new(array, &OPTIONS).ok()?,
            timestamps: matches!(array.data_type(), DataType::Timestamp(_, _)),
        })
    }
}

impl<'a> Values<'a> for Formatted<'a> {
    fn text<'s>(&'s self, row: usize, scratch: &'s mut String) -> Result<&'s str, String>
    where
        'a: 's,
    {
        let value = self.values.value(row);
        value.write(scratch).map_err(|error| error.to_string())?;
        match self.timestamps && scratch.starts_with(['+', '-']) {
            true => Err(format!(
                "{scratch} is outside of the years 0 to 9999 of RFC 3339"
            )),
            false => Ok(scratch),
        }
    }
}
