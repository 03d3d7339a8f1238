//! What is made of a graph's output: one row of numbers a text.

use std::borrow::Cow;

use half::{bf16, f16};
use ort::value::{DynValue, Shape, TensorElementType};
use serde::{Deserialize, Serialize};

use super::InferenceError;

/// How the vectors of a text's tokens become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pooling {
    /// The graph has done it.
    None,
    /// The first token's.
    Cls,
    /// The last token's.
    LastToken,
    /// The largest of each component.
    Max,
    /// The mean over the tokens.
    Mean,
}

/// What is made of a graph's output.
#[derive(Debug, Clone, PartialEq)]
pub enum Head {
    /// A vector a text.
    Embedding {
        /// The output that is read.
        output: String,
        /// How tokens become one vector.
        pooling: Pooling,
        /// Whether vectors are scaled to length 1.
        normalize: bool,
    },
    /// A score a label.
    Scores {
        /// The output that is read.
        output: String,
        /// How the graph's numbers become scores.
        activation: Activation,
    },
}

/// How a graph's numbers become scores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// They are scores.
    None,
    /// A probability each, one without regard to the others.
    Sigmoid,
    /// Probabilities of labels that exclude each other.
    Softmax,
}

impl Head {
    /// Returns the name of the output that is read.
    pub(super) fn output(&self) -> &str {
        match self {
            Self::Embedding { output, .. } | Self::Scores { output, .. } => output,
        }
    }

    /// Returns the rows of a run, one after another; `lengths` are the texts' tokens.
    pub(super) fn rows(
        &self,
        value: &DynValue,
        lengths: &[usize],
        width: usize,
    ) -> Result<Vec<f32>, InferenceError> {
        let (shape, data) = floats(value).map_err(InferenceError::Run)?;
        let data = &*data;
        let unexpected = || InferenceError::Shape {
            output: self.output().to_owned(),
            found: shape.to_vec(),
        };
        let is = |expected: &[usize]| {
            shape.len() == expected.len()
                && shape
                    .iter()
                    .zip(expected)
                    .all(|(found, expected)| *found == *expected as i64)
        };
        let texts = lengths.len();
        match self {
            Self::Embedding {
                pooling, normalize, ..
            } => {
                let mut rows = if *pooling == Pooling::None {
                    if !is(&[texts, width]) {
                        return Err(unexpected());
                    }
                    data.to_vec()
                } else {
                    let tokens = data.len() / (texts * width).max(1);
                    if !is(&[texts, tokens, width]) || lengths.iter().any(|length| *length > tokens)
                    {
                        return Err(unexpected());
                    }
                    pool(data, lengths, tokens, width, *pooling)
                };
                for row in rows.chunks_exact_mut(width) {
                    let length = row
                        .iter()
                        .map(|x| f64::from(*x) * f64::from(*x))
                        .sum::<f64>()
                        .sqrt();
                    if length == 0.0 || !length.is_finite() {
                        return Err(InferenceError::NoVector);
                    }
                    if *normalize {
                        row.iter_mut()
                            .for_each(|x| *x = (f64::from(*x) / length) as f32);
                    }
                }
                Ok(rows)
            }
            Self::Scores { activation, .. } => {
                let one_each = width == 1 && is(&[texts]);
                if !(is(&[texts, width]) || one_each) {
                    return Err(unexpected());
                }
                if data.iter().any(|x| !x.is_finite()) {
                    return Err(InferenceError::NoVector);
                }
                let mut rows = data.to_vec();
                match activation {
                    Activation::None => {}
                    Activation::Sigmoid => {
                        rows.iter_mut().for_each(|x| *x = 1.0 / (1.0 + (-*x).exp()));
                    }
                    Activation::Softmax => rows.chunks_exact_mut(width).for_each(softmax),
                }
                Ok(rows)
            }
        }
    }
}

/// Returns the numbers of a tensor; those of half the size are made larger.
fn floats(value: &DynValue) -> ort::Result<(&Shape, Cow<'_, [f32]>)> {
    match value.dtype().tensor_type() {
        Some(TensorElementType::Bfloat16) => {
            let (shape, numbers) = value.try_extract_tensor::<bf16>()?;
            Ok((
                shape,
                numbers.iter().map(|number| number.to_f32()).collect(),
            ))
        }
        Some(TensorElementType::Float16) => {
            let (shape, numbers) = value.try_extract_tensor::<f16>()?;
            Ok((
                shape,
                numbers.iter().map(|number| number.to_f32()).collect(),
            ))
        }
        _ => {
            let (shape, numbers) = value.try_extract_tensor::<f32>()?;
            Ok((shape, numbers.into()))
        }
    }
}

fn softmax(row: &mut [f32]) {
    let most = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    row.iter_mut().for_each(|x| *x = (*x - most).exp());
    let sum: f32 = row.iter().sum();
    row.iter_mut().for_each(|x| *x /= sum);
}

fn pool(
    data: &[f32],
    lengths: &[usize],
    tokens: usize,
    width: usize,
    pooling: Pooling,
) -> Vec<f32> {
    let mut rows = Vec::with_capacity(lengths.len() * width);
    for (text, length) in data.chunks_exact(tokens * width).zip(lengths) {
        let length = (*length).max(1);
        let token = |at: usize| &text[at * width..(at + 1) * width];
        let start = rows.len();
        match pooling {
            Pooling::Cls | Pooling::None => rows.extend_from_slice(token(0)),
            Pooling::LastToken => rows.extend_from_slice(token(length - 1)),
            Pooling::Max | Pooling::Mean => {
                rows.extend_from_slice(token(0));
                let row = &mut rows[start..];
                for at in 1..length {
                    for (x, y) in row.iter_mut().zip(token(at)) {
                        *x = if pooling == Pooling::Max {
                            x.max(*y)
                        } else {
                            *x + *y
                        };
                    }
                }
                if pooling == Pooling::Mean {
                    row.iter_mut().for_each(|x| *x /= length as f32);
                }
            }
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pooling_leaves_padding_out() {
        // Two texts, three tokens, width two; the second text has two tokens and one of padding.
        let data = [1., 2., 3., 4., 5., 6., 7., 8., 9., 10., 99., 99.];
        for (pooling, expected) in [
            (Pooling::Cls, [1., 2., 7., 8.]),
            (Pooling::LastToken, [5., 6., 9., 10.]),
            (Pooling::Max, [5., 6., 9., 10.]),
            (Pooling::Mean, [3., 4., 8., 9.]),
        ] {
            assert_eq!(pool(&data, &[3, 2], 3, 2, pooling), expected, "{pooling:?}");
        }
    }

    #[test]
    fn softmax_adds_up_to_one_even_for_large_logits() {
        let mut row = [1000.0, 1000.0, 0.0];
        softmax(&mut row);
        assert_eq!(row, [0.5, 0.5, 0.0]);
    }
}
