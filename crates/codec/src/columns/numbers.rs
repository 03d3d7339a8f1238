//! Columns of numbers, and of what is kept as one.

use std::str::FromStr;
use std::sync::Arc;

use arrow::array::{ArrayRef, ArrowNativeTypeOp, NullBufferBuilder, PrimitiveArray};
use arrow::datatypes::{ArrowPrimitiveType, DataType, DecimalType};

use super::{Leaf, Scalar};

/// Numbers in the making; `read` makes one of a scalar, or says what it reads.
pub(super) struct Numbers<T: ArrowPrimitiveType, F> {
    data_type: DataType,
    values: Vec<T::Native>,
    nulls: NullBufferBuilder,
    read: F,
}

impl<T: ArrowPrimitiveType, F> Numbers<T, F> {
    /// Returns a column without values.
    pub(super) fn new(data_type: DataType, capacity: usize, read: F) -> Self {
        Numbers {
            data_type,
            values: Vec::with_capacity(capacity),
            nulls: NullBufferBuilder::new(capacity),
            read,
        }
    }
}

impl<T, F> Leaf for Numbers<T, F>
where
    T: ArrowPrimitiveType,
    F: Fn(Scalar<'_>) -> Option<T::Native> + Send,
{
    fn push(&mut self, scalar: Scalar<'_>) -> Result<(), String> {
        let Some(value) = (self.read)(scalar) else {
            return Err(self.data_type.to_string());
        };
        self.values.push(value);
        self.nulls.append_non_null();
        Ok(())
    }

    fn push_null(&mut self) {
        self.values.push(T::Native::default());
        self.nulls.append_null();
    }

    fn len(&self) -> usize {
        self.values.len()
    }

    fn truncate(&mut self, len: usize) {
        self.values.truncate(len);
        self.nulls.truncate(len);
    }

    fn finish(mut self: Box<Self>) -> ArrayRef {
        let array = PrimitiveArray::<T>::new(self.values.into(), self.nulls.finish());
        Arc::new(array.with_data_type(self.data_type))
    }
}

/// Returns a column of whole numbers; `1.0` and `1e3` are whole, `1.5` is not.
pub(super) fn integers<T>(capacity: usize) -> Box<dyn Leaf>
where
    T: ArrowPrimitiveType,
    T::Native: FromStr + TryFrom<i128>,
{
    let read = |scalar: Scalar<'_>| {
        let text = number(scalar)?;
        let value = text.parse().ok();
        value.or_else(|| scaled::<i128>(text, 0)?.try_into().ok())
    };
    Box::new(Numbers::<T, _>::new(T::DATA_TYPE, capacity, read))
}

/// Returns a column of floating-point numbers; each is the one nearest to what the message says, and finite.
pub(super) fn floats<T>(capacity: usize, finite: fn(T::Native) -> bool) -> Box<dyn Leaf>
where
    T: ArrowPrimitiveType,
    T::Native: FromStr,
{
    let read = move |scalar: Scalar<'_>| {
        let value = number(scalar)?.parse().ok()?;
        finite(value).then_some(value)
    };
    Box::new(Numbers::<T, _>::new(T::DATA_TYPE, capacity, read))
}

/// Returns a column of decimals, which holds no number of more digits than its type says.
pub(super) fn decimals<T>(data_type: &DataType, capacity: usize) -> Option<Box<dyn Leaf>>
where
    T: DecimalType,
    T::Native: ArrowNativeTypeOp,
{
    let (precision, scale) = match data_type {
        DataType::Decimal32(precision, scale)
        | DataType::Decimal64(precision, scale)
        | DataType::Decimal128(precision, scale)
        | DataType::Decimal256(precision, scale) => (*precision, *scale),
        _ => return None,
    };
    let read = move |scalar: Scalar<'_>| {
        let value = scaled::<T::Native>(number(scalar)?, i64::from(scale))?;
        T::is_valid_decimal_precision(value, precision).then_some(value)
    };
    Some(Box::new(Numbers::<T, _>::new(
        data_type.clone(),
        capacity,
        read,
    )))
}

/// Returns the text of a number; one in quotes is read like one without.
fn number(scalar: Scalar<'_>) -> Option<&str> {
    match scalar {
        Scalar::Field(text) | Scalar::Number(text) | Scalar::Text(text) => Some(text),
        Scalar::Boolean(_) | Scalar::Nested => None,
    }
}

/// Returns the number times ten to the power of `scale`; none where that is not whole or too large.
fn scaled<N: ArrowNativeTypeOp>(text: &str, scale: i64) -> Option<N> {
    let (negative, text) = match text.strip_prefix('-') {
        Some(text) => (true, text),
        None => (false, text),
    };
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()?),
        None => (text, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = || whole.bytes().chain(fraction.bytes());
    if whole.is_empty() || !digits().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let kept = (whole.len() as i64)
        .checked_add(exponent)?
        .checked_add(scale)?;
    let ten = N::from_usize(10)?;
    let mut value = N::ZERO;
    let mut count = 0;
    for digit in digits() {
        let digit = N::from_usize(usize::from(digit - b'0'))?;
        if count < kept {
            value = value.mul_checked(ten).ok()?.add_checked(digit).ok()?;
        } else if !digit.is_zero() {
            return None;
        }
        count += 1;
    }
    // Zero times any power of ten is zero; all else is too large for N long before the loop gets long.
    while count < kept && !value.is_zero() {
        value = value.mul_checked(ten).ok()?;
        count += 1;
    }
    match negative {
        true => value.neg_checked().ok(),
        false => Some(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_scaled_without_loss_or_not_at_all() {
        let cases = [
            ("12.30", 2, Some(1230)),
            ("12.345", 2, None),
            ("12.3400", 2, Some(1234)),
            ("-0.01", 2, Some(-1)),
            ("1e3", 0, Some(1000)),
            ("1500e-2", 0, Some(15)),
            ("1501e-2", 0, None),
            ("1E+2", -2, Some(1)),
            ("0.00e999999999", 2, Some(0)),
            ("1e999999999", 2, None),
            ("1e-999999999", 2, None),
            ("1e99999999999999999999", 2, None),
            ("", 2, None),
            (".5", 2, None),
            ("1.2.3", 2, None),
            ("0x1", 2, None),
            ("NaN", 2, None),
        ];
        for (text, scale, expected) in cases {
            assert_eq!(scaled::<i128>(text, scale), expected, "{text}");
        }
    }
}
