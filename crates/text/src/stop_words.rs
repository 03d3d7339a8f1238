//! Stop words by language.

use hashbrown::HashSet;

/// The languages that have a list, as ISO 639-1 codes and `hinglish`, alphabetical.
pub const LANGUAGES: &[&str] = stop_words::available_languages();

/// Returns the stop words of a language: the list of NLTK, in its order; none for a language that has no list.
pub fn stop_words(language: &str) -> Option<&'static [&'static str]> {
    stop_words::lookup(language.to_ascii_lowercase())
}

/// Returns the 318 words that scikit-learn's `stop_words='english'` leaves out: the Glasgow Information Retrieval Group's
/// list, as scikit-learn (BSD-3-Clause, see `LICENSE-scikit-learn.txt`) keeps it.
pub fn scikit_learn_english() -> impl Iterator<Item = &'static str> {
    include_str!("english_stop_words.txt").split_ascii_whitespace()
}

/// A set of words that a token is looked up in without regard to case.
#[derive(Debug)]
pub struct StopWords(HashSet<String>);

impl StopWords {
    /// Builds the set of these words.
    pub fn new<'a>(words: impl Iterator<Item = &'a str>) -> Self {
        Self(words.map(str::to_lowercase).collect())
    }

    /// Tells whether a token is one of the words.
    pub fn contains(&self, token: &str) -> bool {
        // Most tokens are in lower case already, and need no copy.
        self.0.contains(token) || self.0.contains(&token.to_lowercase())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_has_words_and_english_and_chinese_are_there() {
        assert!(LANGUAGES.is_sorted());
        for language in LANGUAGES {
            let words = stop_words(language).expect("in the list");
            assert!(words.len() > 40, "{language}: {}", words.len());
        }
        for (language, word) in [("en", "the"), ("ZH", "的"), ("de", "und")] {
            let words = stop_words(language).expect("in the list");
            assert!(words.contains(&word), "{language}");
        }
    }

    #[test]
    fn case_does_not_matter_on_either_side() {
        let words = StopWords::new(["The", "ÜBER"].into_iter());
        for (token, expected) in [
            ("THE", true),
            ("the", true),
            ("über", true),
            ("then", false),
        ] {
            assert_eq!(words.contains(token), expected, "{token}");
        }
    }
}
