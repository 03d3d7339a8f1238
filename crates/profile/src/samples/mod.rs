//! What is asked of a sample of the distinct texts: which of them one is chosen by its hash, so that a text that comes
//! twice is in the sample twice or not at all, and no order of rows matters (a theta sketch with a summary for each text).

mod languages;
mod near;
mod repeats;

pub(super) use languages::LanguageSample;
pub use languages::Languages;
pub use near::NearDuplicates;
pub(super) use near::NearSample;
pub(super) use repeats::RepeatSample;
pub use repeats::Repeated;
