//! How a plan runs models: calls lifted out of projections, filters and orders into one operator.

mod inference_exec;
mod lift_inference;
mod whole_slices;

pub use inference_exec::InferenceExec;
pub use lift_inference::LiftInference;
pub use whole_slices::WholeSlices;
