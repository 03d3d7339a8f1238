//! Kernels over one text: spans and numbers out, no Arrow.

pub mod accents;
pub mod likeness;
pub mod ngrams;
pub mod normal_form;
pub mod sentences;
pub mod stem;
pub mod stop_words;
pub mod term_counts;
pub mod tokenizers;
pub mod white_space;
