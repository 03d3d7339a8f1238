//! The element types of tensors, and Arrow arrays as tensors and back.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, ArrowPrimitiveType, AsArray, BooleanArray, PrimitiveArray, StringArray,
};
use arrow::datatypes::{
    DataType, Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use half::{bf16, f16};
use ort::session::SessionInputValue;
use ort::value::{DynValue, PrimitiveTensorElementType, Shape, Tensor, TensorRef};

use super::InferenceError;

/// What a tensor holds, named as numpy does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Element {
    Bfloat16,
    Bool,
    Float16,
    Float32,
    Float64,
    Int8,
    Int16,
    Int32,
    Int64,
    String,
    Uint8,
    Uint16,
    Uint32,
    Uint64,
}

impl Element {
    const NAMES: [(&'static str, Self); 14] = [
        ("bfloat16", Self::Bfloat16),
        ("bool", Self::Bool),
        ("float16", Self::Float16),
        ("float32", Self::Float32),
        ("float64", Self::Float64),
        ("int8", Self::Int8),
        ("int16", Self::Int16),
        ("int32", Self::Int32),
        ("int64", Self::Int64),
        ("string", Self::String),
        ("uint8", Self::Uint8),
        ("uint16", Self::Uint16),
        ("uint32", Self::Uint32),
        ("uint64", Self::Uint64),
    ];

    pub(super) fn named(name: &str) -> Option<Self> {
        let found = Self::NAMES.iter().find(|(known, _)| *known == name);
        found.map(|(_, element)| *element)
    }

    /// Returns the Arrow type of values that go in.
    pub(super) fn input_type(self) -> DataType {
        match self {
            Self::Bool => DataType::Boolean,
            Self::Float16 => DataType::Float16,
            // Arrow has no bfloat16.
            Self::Bfloat16 | Self::Float32 => DataType::Float32,
            Self::Float64 => DataType::Float64,
            Self::Int8 => DataType::Int8,
            Self::Int16 => DataType::Int16,
            Self::Int32 => DataType::Int32,
            Self::Int64 => DataType::Int64,
            Self::String => DataType::Utf8,
            Self::Uint8 => DataType::UInt8,
            Self::Uint16 => DataType::UInt16,
            Self::Uint32 => DataType::UInt32,
            Self::Uint64 => DataType::UInt64,
        }
    }

    /// Returns the Arrow type of values that come out: nothing unsigned, no half floats.
    pub(super) fn output_type(self) -> DataType {
        match self {
            Self::Bfloat16 | Self::Float16 => DataType::Float32,
            Self::Uint8 => DataType::Int16,
            Self::Uint16 => DataType::Int32,
            Self::Uint32 | Self::Uint64 => DataType::Int64,
            other => other.input_type(),
        }
    }

    /// Tells whether values of an Arrow type may go in: numbers into floats, whole numbers into integers.
    pub(super) fn takes(self, values: &DataType) -> bool {
        match self {
            _ if values.is_null() => true,
            Self::Bool => *values == DataType::Boolean,
            Self::String => match values {
                DataType::Dictionary(_, value) => value.is_string(),
                other => other.is_string(),
            },
            Self::Bfloat16 | Self::Float16 | Self::Float32 | Self::Float64 => values.is_numeric(),
            _ => values.is_integer(),
        }
    }

    /// Returns what may go in, for messages.
    pub(super) fn expected(self) -> &'static str {
        match self {
            Self::Bool => "truth values",
            Self::String => "texts",
            Self::Bfloat16 | Self::Float16 | Self::Float32 | Self::Float64 => "numbers",
            _ => "integers",
        }
    }

    /// Returns values of [`Element::input_type`], none of them NULL, as a tensor; numbers are not copied.
    pub(super) fn tensor<'a>(
        self,
        shape: &[usize],
        values: &'a ArrayRef,
    ) -> ort::Result<SessionInputValue<'a>> {
        match self {
            Self::Bfloat16 => {
                let values = values.as_primitive::<Float32Type>().values();
                let values: Vec<_> = values.iter().copied().map(bf16::from_f32).collect();
                Ok(Tensor::from_array((shape, values))?.into())
            }
            Self::Bool => {
                let values: Vec<_> = values.as_boolean().values().iter().collect();
                Ok(Tensor::from_array((shape, values))?.into())
            }
            Self::String => {
                let values = values.as_string::<i32>().iter().flatten();
                let values: Vec<_> = values.map(str::to_owned).collect();
                Ok(Tensor::from_string_array((shape, &*values))?.into())
            }
            Self::Float16 => view::<Float16Type>(shape, values),
            Self::Float32 => view::<Float32Type>(shape, values),
            Self::Float64 => view::<Float64Type>(shape, values),
            Self::Int8 => view::<Int8Type>(shape, values),
            Self::Int16 => view::<Int16Type>(shape, values),
            Self::Int32 => view::<Int32Type>(shape, values),
            Self::Int64 => view::<Int64Type>(shape, values),
            Self::Uint8 => view::<UInt8Type>(shape, values),
            Self::Uint16 => view::<UInt16Type>(shape, values),
            Self::Uint32 => view::<UInt32Type>(shape, values),
            Self::Uint64 => view::<UInt64Type>(shape, values),
        }
    }

    /// Returns a tensor's shape, and its values as [`Element::output_type`].
    pub(super) fn array(self, tensor: &DynValue) -> Result<(Shape, ArrayRef), InferenceError> {
        match self {
            Self::Bfloat16 => numbers::<bf16, Float32Type>(tensor, |x| Some(x.to_f32())),
            Self::Bool => {
                let (shape, values) = tensor
                    .try_extract_tensor::<bool>()
                    .map_err(InferenceError::Run)?;
                Ok((shape.clone(), Arc::new(BooleanArray::from(values.to_vec()))))
            }
            Self::Float16 => numbers::<f16, Float32Type>(tensor, |x| Some(x.to_f32())),
            Self::Float32 => numbers::<f32, Float32Type>(tensor, Some),
            Self::Float64 => numbers::<f64, Float64Type>(tensor, Some),
            Self::Int8 => numbers::<i8, Int8Type>(tensor, Some),
            Self::Int16 => numbers::<i16, Int16Type>(tensor, Some),
            Self::Int32 => numbers::<i32, Int32Type>(tensor, Some),
            Self::Int64 => numbers::<i64, Int64Type>(tensor, Some),
            Self::String => {
                let (shape, values) = tensor.try_extract_strings().map_err(InferenceError::Run)?;
                Ok((shape.clone(), Arc::new(StringArray::from(values))))
            }
            Self::Uint8 => numbers::<u8, Int16Type>(tensor, |x| Some(x.into())),
            Self::Uint16 => numbers::<u16, Int32Type>(tensor, |x| Some(x.into())),
            Self::Uint32 => numbers::<u32, Int64Type>(tensor, |x| Some(x.into())),
            Self::Uint64 => numbers::<u64, Int64Type>(tensor, |x| x.try_into().ok()),
        }
    }
}

fn view<'a, T: ArrowPrimitiveType>(
    shape: &[usize],
    values: &'a ArrayRef,
) -> ort::Result<SessionInputValue<'a>>
where
    T::Native: PrimitiveTensorElementType + std::fmt::Debug + Clone + 'static,
{
    let values: &[T::Native] = values.as_primitive::<T>().values();
    Ok(TensorRef::from_array_view((shape.to_vec(), values))?.into())
}

/// Copies a tensor's numbers; none from `convert` is one that the Arrow type has no place for.
fn numbers<T, A: ArrowPrimitiveType>(
    tensor: &DynValue,
    convert: impl Fn(T) -> Option<A::Native>,
) -> Result<(Shape, ArrayRef), InferenceError>
where
    T: PrimitiveTensorElementType + Copy + std::fmt::Display,
{
    let (shape, values) = tensor
        .try_extract_tensor::<T>()
        .map_err(InferenceError::Run)?;
    let converted = values.iter().map(|value| {
        convert(*value).ok_or_else(|| {
            InferenceError::Value(format!("{} has no place for {value}", A::DATA_TYPE))
        })
    });
    let converted = converted.collect::<Result<Vec<_>, _>>()?;
    let array = PrimitiveArray::<A>::new(converted.into(), None);
    Ok((shape.clone(), Arc::new(array)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_element_has_one_name_and_takes_what_goes_in() {
        for (name, element) in Element::NAMES {
            assert_eq!(Element::named(name), Some(element));
            assert!(element.takes(&element.input_type()), "{name}");
            assert!(!element.output_type().is_unsigned_integer(), "{name}");
        }
        assert!(Element::Float32.takes(&DataType::Int64));
        assert!(!Element::Int64.takes(&DataType::Float32));
        assert!(!Element::Float32.takes(&DataType::Utf8));
        assert!(!Element::Float32.takes(&DataType::Boolean));
    }
}
