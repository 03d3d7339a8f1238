//! NLP functions for Apache DataFusion.
//!
//! [`register_all`] adds every function to a registry, a `SessionContext` among them, and [`model`] says how they reach
//! models. The kernels ([`text`]) know nothing of Arrow, the columns ([`columns`]) nothing of DataFusion; both can be
//! used alone.

pub mod functions;

pub use functions::{names, register_all};
pub use lexstream_columns as columns;
pub use lexstream_columns::model;
pub use lexstream_text as text;
