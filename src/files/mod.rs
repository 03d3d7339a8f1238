//! Files that are there whole or not at all: written under a temporary name, put in place by a rename.

mod claim;

pub use claim::{Claim, sweep};
