//! NLP functions for Apache DataFusion.
//!
//! [`register_all`] adds every function to a registry, a `SessionContext` among them, and
//! [`model`] says how they reach models. The kernels under [`text`] and [`vectors`] know nothing of Arrow, the columns under [`columns`] nothing of
//! DataFusion; both can be used alone.

pub mod columns;
pub mod functions;
pub mod model;
mod nearest;
pub mod text;
pub mod vectors;

pub use functions::{names, register_all};
pub use nearest::nearest;
