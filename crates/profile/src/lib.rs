//! What a column of texts is like: one pass over it, in memory that does not grow with it.
//!
//! What would take the corpus to know exactly is estimated: by sketches of Apache DataSketches, and samples of its
//! distinct texts that no order of rows changes.

mod column;
mod examples;
mod lengths;
mod marks;
mod measure;
mod page;
mod samples;
mod tokens;
mod words;

pub use column::Column;
pub use examples::Example;
pub use lengths::{Bucket, Lengths, QUANTILES};
pub use marks::{Marked, Marks};
pub use measure::Measure;
pub use page::page;
pub use page::{grouped, share};
pub use samples::{Languages, NearDuplicates, Repeated};
pub use words::{Word, Words};

/// What was found in a column of texts.
#[derive(Debug)]
pub struct Profile {
    /// Rows, NULLs among them.
    pub rows: u64,
    /// Rows without a text.
    pub nulls: u64,
    /// Texts without a character.
    pub empty: u64,
    /// Texts of nothing but white space, the empty ones left out.
    pub blank: u64,
    /// Bytes of all texts, in UTF-8.
    pub bytes: u64,
    /// How long texts are, in characters (Unicode's scalar values).
    pub characters: Lengths,
    /// How long texts are, in tokens.
    pub tokens: Lengths,
    /// Texts that came before, letter by letter.
    pub repeated: Repeated,
    /// Distinct texts that are much like another one.
    pub near_duplicates: NearDuplicates,
    /// What languages texts are in.
    pub languages: Languages,
    /// Which words are frequent.
    pub words: Words,
    /// Characters that are hardly ever meant.
    pub marks: Marks,
    /// The shortest texts that are not blank, shortest first.
    pub shortest: Vec<Example>,
    /// The longest texts, longest first.
    pub longest: Vec<Example>,
}

impl Profile {
    /// Returns how many rows have a text.
    pub fn texts(&self) -> u64 {
        self.rows - self.nulls
    }
}
