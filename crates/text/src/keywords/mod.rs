//! Keyword extraction from one text.

mod chinese_stop_words;
mod chinese_text_rank;
mod chinese_tfidf;
mod rake;
mod text_rank;
mod yake;

use std::fmt::Debug;

pub use chinese_text_rank::ChineseTextRank;
pub use chinese_tfidf::ChineseTfidf;
pub use rake::Rake;
pub use yake::Yake;

use super::stop_words;

/// Keyword extractor.
pub trait Extractor: Debug + Send + Sync {
    /// Calls `each` with the `most` best terms of a text and their scores, best first, equal ones by term in byte order, or
    /// as the method says.
    fn extract(&self, text: &str, most: usize, each: &mut dyn FnMut(&str, f64));
}

/// Method of keyword extraction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// [`Rake`].
    Rake,
    /// [`ChineseTextRank`].
    Textrank,
    /// [`ChineseTfidf`].
    Tfidf,
    /// [`Yake`].
    Yake,
}

/// The language that is written without spaces between words.
const CHINESE: &str = "zh";

impl Method {
    /// The names, alphabetical.
    pub const NAMES: &[&str] = &["rake", "textrank", "tfidf", "yake"];

    /// The languages that some method knows, alphabetical.
    pub const LANGUAGES: &[&str] = stop_words::LANGUAGES;

    /// Returns the method of this name, without regard to case.
    pub fn named(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "rake" => Some(Self::Rake),
            "textrank" => Some(Self::Textrank),
            "tfidf" => Some(Self::Tfidf),
            "yake" => Some(Self::Yake),
            _ => None,
        }
    }

    /// Returns the name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rake => "rake",
            Self::Textrank => "textrank",
            Self::Tfidf => "tfidf",
            Self::Yake => "yake",
        }
    }

    /// Returns the methods for texts of a language, the one that is meant where none is named first; none where the
    /// language has no list of stop words.
    pub fn of(language: &str) -> &'static [Self] {
        let known = Self::LANGUAGES;
        if language.eq_ignore_ascii_case(CHINESE) {
            &[Self::Tfidf, Self::Textrank]
        } else if known
            .iter()
            .any(|known| known.eq_ignore_ascii_case(language))
        {
            &[Self::Rake, Self::Yake]
        } else {
            &[]
        }
    }

    /// Returns the language where none is named.
    pub fn language(self) -> &'static str {
        match self {
            Self::Rake | Self::Yake => "en",
            Self::Textrank | Self::Tfidf => CHINESE,
        }
    }

    /// Returns the method's extractor for a language; none where the method is not for the language.
    ///
    /// The first of a method for Chinese loads jieba's dictionaries.
    pub fn extractor(self, language: &str) -> Option<Box<dyn Extractor>> {
        if !Self::of(language).contains(&self) {
            return None;
        }
        Some(match self {
            Self::Rake => Box::new(Rake::new(stop_words::stop_words(language)?)),
            Self::Textrank => Box::new(ChineseTextRank::built_in()),
            Self::Tfidf => Box::new(ChineseTfidf::built_in()),
            Self::Yake => Box::new(Yake::new(stop_words::stop_words(language)?)),
        })
    }
}

/// Calls `each` with the `most` best terms, best first, equal ones by term.
fn best<'a>(mut found: Vec<(&'a str, f64)>, most: usize, each: &mut dyn FnMut(&str, f64)) {
    let order = |a: &(&'a str, f64), b: &(&'a str, f64)| b.1.total_cmp(&a.1).then(a.0.cmp(b.0));
    if most < found.len() {
        found.select_nth_unstable_by(most, order);
        found.truncate(most);
    }
    found.sort_unstable_by(order);
    for (term, score) in found {
        each(term, score);
    }
}

#[cfg(test)]
fn extracted(extractor: &dyn Extractor, text: &str, most: usize) -> Vec<(String, f64)> {
    let mut found = Vec::new();
    extractor.extract(text, most, &mut |term, score| {
        found.push((term.to_owned(), score));
    });
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_has_methods_and_every_method_its_language() {
        assert!(Method::NAMES.is_sorted());
        for name in Method::NAMES {
            let method = Method::named(&name.to_uppercase()).expect("in the list");
            assert_eq!(method.name(), *name);
            assert!(method.extractor(method.language()).is_some(), "{name}");
        }
        for language in Method::LANGUAGES {
            assert!(!Method::of(language).is_empty(), "{language}");
        }
        assert!(Method::Rake.extractor("zh").is_none());
        assert!(Method::Textrank.extractor("en").is_none());
        assert!(Method::Yake.extractor("zh").is_none());
        assert!(Method::Rake.extractor("xx").is_none());
    }

    #[test]
    fn the_best_are_the_first_of_all() {
        let found = vec![("b", 1.0), ("c", 2.0), ("a", 1.0), ("d", 0.5)];
        for most in 0..5 {
            let mut terms = Vec::new();
            best(found.clone(), most, &mut |term, _| {
                terms.push(term.to_owned());
            });
            assert_eq!(terms, ["c", "a", "b", "d"][..most.min(4)]);
        }
    }
}
