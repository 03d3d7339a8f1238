//! Stems of words, by the Snowball algorithms.

use std::borrow::Cow;

use snowball_stemmers_rs::Algorithm;

use lexstream_snowball as snowball;

/// The languages that have a stemmer, as ISO 639-1 codes, alphabetical: those of the Snowball project's Python package.
pub const LANGUAGES: &[&str] = &[
    "ar", "ca", "cs", "da", "de", "el", "en", "eo", "es", "et", "eu", "fa", "fi", "fr", "ga", "hi",
    "hu", "hy", "id", "it", "lt", "ne", "nl", "no", "pl", "pt", "ro", "ru", "sr", "st", "sv", "ta",
    "tr", "yi",
];

/// The algorithms that the crate has as Snowball 3.1 has them; the others are in [`snowball`].
const OF_THE_CRATE: [(&str, Algorithm); 23] = [
    ("ar", Algorithm::Arabic),
    ("ca", Algorithm::Catalan),
    ("el", Algorithm::Greek),
    ("en", Algorithm::English),
    ("eo", Algorithm::Esperanto),
    ("es", Algorithm::Spanish),
    ("eu", Algorithm::Basque),
    ("fr", Algorithm::French),
    ("ga", Algorithm::Irish),
    ("hi", Algorithm::Hindi),
    ("hu", Algorithm::Hungarian),
    ("hy", Algorithm::Armenian),
    ("id", Algorithm::Indonesian),
    ("ne", Algorithm::Nepali),
    ("nl", Algorithm::Dutch),
    ("pt", Algorithm::Portuguese),
    ("ro", Algorithm::Romanian),
    ("ru", Algorithm::Russian),
    ("sr", Algorithm::Serbian),
    ("sv", Algorithm::Swedish),
    ("ta", Algorithm::Tamil),
    ("tr", Algorithm::Turkish),
    ("yi", Algorithm::Yiddish),
];

/// Cuts the endings off the words of one language.
pub struct Stemmer {
    language: &'static str,
    cut: Cut,
}

enum Cut {
    OfTheCrate(snowball_stemmers_rs::Stemmer),
    Generated(snowball::Algorithm),
}

impl std::fmt::Debug for Stemmer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Stemmer").field(&self.language).finish()
    }
}

impl Stemmer {
    /// Returns the stemmer of this language, without regard to case.
    pub fn of(language: &str) -> Option<Self> {
        fn find<T: Copy>(table: &[(&'static str, T)], code: &str) -> Option<(&'static str, T)> {
            let mut table = table.iter().copied();
            table.find(|(known, _)| known.eq_ignore_ascii_case(code))
        }
        if let Some((language, algorithm)) = find(&OF_THE_CRATE, language) {
            let cut = Cut::OfTheCrate(snowball_stemmers_rs::Stemmer::create(algorithm));
            return Some(Self { language, cut });
        }
        let (language, algorithm) = find(&snowball::ALGORITHMS, language)?;
        let cut = Cut::Generated(algorithm);
        Some(Self { language, cut })
    }

    /// Returns the stem of a word in lower case.
    pub fn stem<'a>(&self, word: &'a str) -> Cow<'a, str> {
        match &self.cut {
            Cut::OfTheCrate(stemmer) => stemmer.stem(word),
            Cut::Generated(algorithm) => algorithm.stem(word),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(language: &str, word: &str, expected: &str) {
        let stemmer = Stemmer::of(language).expect("in the list");
        assert_eq!(stemmer.stem(word), expected, "{language}: {word}");
    }

    #[test]
    fn endings_are_cut() {
        // Porter 1980: step 1a and what follows it.
        check("en", "caresses", "caress");
        check("EN", "ponies", "poni");
        check("en", "relational", "relat");
    }

    #[test]
    fn apostrophes_of_italian_and_german_are_those_of_snowball_3_1() {
        check("it", "dell'arte", "arte");
        check("it", "rock'n'roll", "rock'n'roll");
        check("de", "häuser's", "hauser");
        check("de", "d's", "d's");
    }

    #[test]
    fn a_text_without_letters_is_its_own_stem() {
        for language in LANGUAGES {
            check(language, "", "");
            check(language, "42", "42");
        }
    }

    #[test]
    fn the_list_is_alphabetical_and_every_code_is_a_stemmer() {
        assert!(LANGUAGES.is_sorted());
        assert!(LANGUAGES.iter().all(|code| Stemmer::of(code).is_some()));
    }
}
