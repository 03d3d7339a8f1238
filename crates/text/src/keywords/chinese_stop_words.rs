//! Stop words of jieba.analyse.

use crate::white_space::is_space;

/// jieba's list (MIT, see text/LICENSE-jieba.txt): all are English.
const STOP_WORDS: &[&str] = &[
    "the", "of", "is", "and", "to", "in", "that", "we", "for", "an", "are", "by", "be", "as", "on",
    "with", "can", "if", "from", "which", "you", "it", "this", "then", "at", "have", "all", "not",
    "one", "has", "or",
];

/// Tells whether a word has two characters or more, white space around it left out, and is no stop word.
pub(super) fn may_be_keyword(word: &str) -> bool {
    word.trim_matches(is_space).chars().nth(1).is_some()
        && !STOP_WORDS
            .iter()
            .any(|stop| stop.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_words_and_stop_words_are_none() {
        for word in ["", "我", "a", " 我\u{3000}", "\u{1c}x", "The", "WHICH"] {
            assert!(!may_be_keyword(word), "{word:?}");
        }
        for word in ["我们", "ab", " of"] {
            assert!(may_be_keyword(word), "{word:?}");
        }
    }
}
