//! Tokenizers: one file each, one list.

mod blocks;
mod char;
pub mod jieba;
mod pattern;
mod sklearn;
mod whitespace;
mod word;

use std::fmt::Debug;
use std::ops::Range;
use std::sync::Arc;

pub use char::Char;
pub use jieba::Jieba;
pub use pattern::Pattern;
pub use sklearn::{Sklearn, SklearnCased};
pub use whitespace::Whitespace;
pub use word::Word;

/// Cuts a text into tokens.
pub trait Tokenizer: Debug + Send + Sync {
    /// Adds the span of each token to `spans`, in the tokenizer's order, and returns the text that they lie in.
    ///
    /// That is `text` itself, or `buffer` where a tokenizer rewrites before it cuts, such as to lower case; what the
    /// buffer held is lost.
    fn cut<'a>(&self, text: &'a str, buffer: &'a mut String, spans: &mut Vec<Span>) -> &'a str;

    /// Adds where each token begins in `text` itself, in bytes; false where the tokenizer rewrites texts and can't tell.
    fn starts(&self, text: &str, starts: &mut Vec<usize>) -> bool {
        let (mut buffer, mut spans) = (String::new(), Vec::new());
        let is_same = std::ptr::eq(self.cut(text, &mut buffer, &mut spans), text);
        starts.extend(spans.iter().map(|span| span.start as usize));
        is_same
    }
}

/// Where a token lies in its text, in bytes: 32 bits, as in Arrow's views.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The first byte.
    pub start: u32,
    /// The byte behind the last.
    pub end: u32,
}

impl Span {
    /// Returns the span of `length` bytes from `start`.
    #[inline]
    pub fn new(start: usize, length: usize) -> Self {
        Self {
            start: start as u32,
            end: (start + length) as u32,
        }
    }

    /// Returns the span as an index.
    #[inline]
    pub fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// The names of the built-in tokenizers, alphabetical.
pub const NAMES: &[&str] = &[
    "char",
    "jieba",
    "jieba_all",
    "jieba_search",
    "sklearn",
    "whitespace",
    "word",
];

/// Those of them in which a hidden Markov model may be switched off.
pub const WITH_HMM: &[&str] = &["jieba", "jieba_all", "jieba_search"];

/// Returns the built-in tokenizer of this name, without regard to case; the first of jieba's loads its dictionary.
///
/// `hmm` says whether jieba's hidden Markov model joins characters into words that no dictionary knows.
pub fn built_in(name: &str, hmm: bool) -> Option<Arc<dyn Tokenizer>> {
    let name = NAMES
        .iter()
        .find(|known| known.eq_ignore_ascii_case(name))?;
    let jieba = |mode| Jieba::new(jieba::Dictionary::built_in(), mode, hmm);
    let tokenizer: Arc<dyn Tokenizer> = match *name {
        "char" => Arc::new(Char),
        "jieba" => Arc::new(jieba(jieba::Mode::Exact)),
        "jieba_all" => Arc::new(jieba(jieba::Mode::All)),
        "jieba_search" => Arc::new(jieba(jieba::Mode::Search)),
        "sklearn" => Arc::new(Sklearn),
        "whitespace" => Arc::new(Whitespace),
        "word" => Arc::new(Word),
        _ => return None,
    };
    Some(tokenizer)
}

/// Tells whether a built-in tokenizer has this name, without regard to case.
pub fn is_built_in(name: &str) -> bool {
    NAMES.iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// Returns the tokens of one text, for tests.
#[cfg(test)]
pub(crate) fn tokens(tokenizer: &dyn Tokenizer, text: &str) -> Vec<String> {
    let mut buffer = String::new();
    let mut spans = Vec::new();
    let cut = tokenizer.cut(text, &mut buffer, &mut spans);
    spans
        .iter()
        .map(|span| cut[span.range()].to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn spans_are_in_order_and_only_words_in_words_overlap(text in "\\PC*|[a-z '\u{301}\u{915}\u{94d}漢字👩‍👩‍👧🇩🇪.,:0-9_-]*") {
            for name in NAMES {
                let tokenizer = built_in(name, true).expect("in the list");
                let mut buffer = String::new();
                let mut spans = Vec::new();
                let cut = tokenizer.cut(&text, &mut buffer, &mut spans);
                let overlaps = matches!(*name, "jieba_all" | "jieba_search");
                let mut end = 0;
                for span in spans {
                    prop_assert!((overlaps || span.start >= end) && span.start < span.end, "{name}: {span:?} after {end}");
                    prop_assert!(cut.get(span.range()).is_some(), "{name}: {span:?} cuts a character");
                    end = span.end;
                }
            }
        }

        #[test]
        fn characters_concatenate_to_the_text(text in "\\PC*") {
            prop_assert_eq!(tokens(&Char, &text).concat(), text);
        }

        #[test]
        fn words_by_jieba_concatenate_to_the_text(text in "\\PC*|[a-z \\r\\n漢字中国人民大学0-9._%+-]*") {
            prop_assert_eq!(tokens(&Jieba::built_in(jieba::Mode::Exact), &text).concat(), text);
        }
    }

    #[test]
    fn the_list_is_alphabetical_and_every_name_is_a_tokenizer() {
        assert!(NAMES.is_sorted());
        assert!(NAMES.iter().all(|name| built_in(name, true).is_some()));
    }
}
