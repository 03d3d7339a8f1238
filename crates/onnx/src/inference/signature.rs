//! What a graph takes and gives, a row.

use std::sync::Arc;

use arrow::array::{ArrayRef, FixedSizeListArray, ListArray};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, FieldRef, Fields};

use super::tensors::Element;
use super::{InferenceError, Tensor};

/// Why a graph is no model of columns, or columns are not what it takes.
#[derive(Debug, thiserror::Error)]
pub enum SignatureError {
    /// A tensor that a row has no part of.
    #[error("{put} `{name}` is {found}; expected {expected}")]
    Tensor {
        /// `input` or `output`.
        put: &'static str,
        /// The tensor.
        name: String,
        /// What it is.
        found: String,
        /// What it should be.
        expected: &'static str,
    },
    /// The graph has no such output.
    #[error("the graph has no output `{found}`; it has {}", known.join(", "))]
    Output {
        /// What was asked for.
        found: String,
        /// What there is.
        known: Vec<String>,
    },
    /// The wrong number of inputs.
    #[error("expected {}, found {found}: {}", inputs(expected.len()), expected.join(", "))]
    Count {
        /// The graph's inputs.
        expected: Vec<String>,
        /// How many there are.
        found: usize,
    },
    /// An input of the wrong type.
    #[error("input `{name}` is {tensor}: expected {expected}, found {found}")]
    Type {
        /// The input.
        name: String,
        /// The tensor.
        tensor: String,
        /// What it takes.
        expected: String,
        /// What there is.
        found: DataType,
    },
}

fn inputs(count: usize) -> String {
    format!("{count} input{}", if count == 1 { "" } else { "s" })
}

/// What a graph takes and gives, a row: its tensors' first axis is the batch's.
#[derive(Debug, Clone)]
pub struct Signature {
    pub(super) inputs: Vec<Axes>,
    pub(super) outputs: Vec<Axes>,
}

/// A tensor behind its batch axis.
#[derive(Debug, Clone)]
pub(super) struct Axes {
    pub(super) tensor: Tensor,
    pub(super) element: Element,
    /// The axes behind the first; none is one that varies.
    pub(super) axes: Vec<Option<usize>>,
}

impl Axes {
    fn new(put: &'static str, tensor: &Tensor) -> Result<Self, SignatureError> {
        let wrong = |expected| SignatureError::Tensor {
            put,
            name: tensor.name.clone(),
            found: tensor.to_string(),
            expected,
        };
        let Some(element) = Element::named(&tensor.r#type) else {
            return Err(wrong("a tensor of numbers, truth values or texts"));
        };
        let Some((batch, axes)) = tensor.shape.split_first() else {
            return Err(wrong("a first axis for the rows of a batch"));
        };
        let is_input = put == "input";
        if is_input && batch.is_some() {
            return Err(wrong("a first axis that varies, for the rows of a batch"));
        }
        if is_input && axes.iter().filter(|size| size.is_none()).count() > 1 {
            return Err(wrong("at most one axis that varies besides the batch's"));
        }
        let axes = axes
            .iter()
            .map(|size| size.map(|size| i32::try_from(size).ok().filter(|size| *size > 0)));
        let mut known = Vec::new();
        for size in axes {
            match size {
                None => known.push(None),
                Some(Some(size)) => known.push(Some(size as usize)),
                Some(None) => return Err(wrong("axes of 1 to 2147483647")),
            }
        }
        Ok(Self {
            tensor: tensor.clone(),
            element,
            axes: known,
        })
    }

    /// Tells whether a row has one value.
    fn is_single(&self) -> bool {
        matches!(*self.axes, [] | [Some(1)])
    }

    /// Returns how many values a row has, or a multiple of it where an axis varies.
    pub(super) fn values(&self) -> usize {
        self.axes.iter().flatten().product()
    }

    pub(super) fn varies(&self) -> bool {
        self.axes.contains(&None)
    }

    /// Returns the shape of so many rows, where the axis that varies is `varying`.
    pub(super) fn shape(&self, rows: usize, varying: usize) -> Vec<usize> {
        let axes = self.axes.iter().map(|size| size.unwrap_or(varying));
        std::iter::once(rows).chain(axes).collect()
    }

    /// Refuses a column that does not fit, as far as its type tells.
    fn check(&self, found: &DataType) -> Result<(), SignatureError> {
        let mut values = found;
        let mut count = Some(1);
        loop {
            match values {
                DataType::FixedSizeList(item, size) => {
                    count = count.map(|count: usize| count.saturating_mul(*size as usize));
                    values = item.data_type();
                }
                DataType::List(item)
                | DataType::LargeList(item)
                | DataType::ListView(item)
                | DataType::LargeListView(item) => {
                    count = None;
                    values = item.data_type();
                }
                _ => break,
            }
        }
        let fits = |count: usize| {
            if self.varies() {
                count.is_multiple_of(self.values())
            } else {
                count == self.values()
            }
        };
        if found.is_null() || self.element.takes(values) && count.is_none_or(fits) {
            return Ok(());
        }
        Err(SignatureError::Type {
            name: self.tensor.name.clone(),
            tensor: self.tensor.to_string(),
            expected: self.expected(),
            found: found.clone(),
        })
    }

    /// Returns what a row takes, for messages.
    pub(super) fn expected(&self) -> String {
        let values = self.element.expected();
        match (self.is_single(), self.varies(), self.values()) {
            (true, ..) => values.trim_end_matches('s').to_owned(),
            (_, false, count) => format!("a list of {count} {values}"),
            (_, true, 1) => format!("a list of {values}"),
            (_, true, count) => format!("a list of {values}, a multiple of {count}"),
        }
    }

    /// Returns the type of a row's values.
    fn data_type(&self) -> DataType {
        let value = self.element.output_type();
        if self.is_single() {
            return value;
        }
        self.axes.iter().rev().fold(value, |item, size| match size {
            Some(size) => DataType::FixedSizeList(item_field(item), *size as i32),
            None => DataType::List(item_field(item)),
        })
    }

    /// Returns the rows of an output tensor.
    pub(super) fn rows(&self, shape: &[i64], values: ArrayRef) -> Result<ArrayRef, InferenceError> {
        if self.is_single() {
            return Ok(values);
        }
        let mut array = values;
        for (at, size) in self.axes.iter().enumerate().rev() {
            let item = item_field(array.data_type().clone());
            let lists = shape[..=at].iter().map(|size| *size as usize).product();
            array = match size {
                Some(size) => Arc::new(FixedSizeListArray::try_new(
                    item,
                    *size as i32,
                    array,
                    None,
                )?),
                None => {
                    let offsets = OffsetBuffer::from_repeated_length(shape[at + 1] as usize, lists);
                    Arc::new(ListArray::try_new(item, offsets, array, None)?)
                }
            };
        }
        Ok(array)
    }
}

fn item_field(data_type: DataType) -> FieldRef {
    Arc::new(Field::new_list_field(data_type, true))
}

impl Signature {
    /// Takes a graph's inputs, and those of its outputs that are asked for; all of them where none are.
    pub fn new(
        inputs: &[Tensor],
        outputs: &[Tensor],
        chosen: &[String],
    ) -> Result<Self, SignatureError> {
        let known = || outputs.iter().map(|output| output.name.clone()).collect();
        let chosen: Vec<_> = if chosen.is_empty() {
            outputs.iter().collect()
        } else {
            let named = |name: &String| {
                let output = outputs.iter().find(|output| output.name == *name);
                output.ok_or_else(|| SignatureError::Output {
                    found: name.clone(),
                    known: known(),
                })
            };
            chosen.iter().map(named).collect::<Result<_, _>>()?
        };
        let axes = |put, tensors: &[&Tensor]| {
            let axes = tensors.iter().map(|tensor| Axes::new(put, tensor));
            axes.collect::<Result<Vec<_>, _>>()
        };
        Ok(Self {
            inputs: axes("input", &inputs.iter().collect::<Vec<_>>())?,
            outputs: axes("output", &chosen)?,
        })
    }

    /// Returns the type of a row's result for inputs of these types.
    pub fn result_type(&self, inputs: &[DataType]) -> Result<DataType, SignatureError> {
        if inputs.len() != self.inputs.len() {
            let names = self.inputs.iter().map(|input| input.tensor.to_string());
            return Err(SignatureError::Count {
                expected: names.collect(),
                found: inputs.len(),
            });
        }
        for (input, found) in self.inputs.iter().zip(inputs) {
            input.check(found)?;
        }
        Ok(self.data_type())
    }

    /// One output is its value, several are a struct.
    pub(super) fn data_type(&self) -> DataType {
        match self.outputs.as_slice() {
            [output] => output.data_type(),
            _ => DataType::Struct(self.fields()),
        }
    }

    pub(super) fn fields(&self) -> Fields {
        let field = |output: &Axes| Field::new(&output.tensor.name, output.data_type(), true);
        self.outputs.iter().map(field).collect()
    }
}
