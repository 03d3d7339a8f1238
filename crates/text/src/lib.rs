//! NLP kernels over one text: spans and numbers out; no Arrow, no nulls, no batches.

pub mod accents;
pub mod append;
pub mod bags;
pub mod chunks;
pub mod collocations;
pub mod hash_vector;
pub mod hashes;
pub mod html;
pub mod key_sentences;
pub mod keys;
pub mod keywords;
pub mod language;
pub mod likeness;
pub mod lower_case;
mod nearest;
pub mod ngrams;
pub mod normal_form;
mod packed;
pub mod pos_tags;
pub mod sentences;
pub mod sketches;
pub mod stem;
pub mod stop_words;
pub mod tfidf;
pub mod tokenizers;
pub mod vectors;
pub mod white_space;

pub use nearest::nearest;
