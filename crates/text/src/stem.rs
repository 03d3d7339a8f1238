//! Stems of words, by the Snowball algorithms.

use std::borrow::Cow;

use snowball_stemmers_rs::Algorithm;

/// The languages that have a stemmer, as ISO 639-1 codes, alphabetical.
///
/// Left out is what the crate has in another version than the Snowball project's Python package.
pub const LANGUAGES: &[&str] = &[
    "ar", "ca", "de", "el", "en", "eo", "es", "eu", "fr", "ga", "hi", "hu", "hy", "id", "it", "ne",
    "nl", "pl", "pt", "ro", "ru", "sr", "sv", "ta", "tr", "yi",
];

const ALGORITHMS: [(&str, Algorithm); LANGUAGES.len()] = [
    ("ar", Algorithm::Arabic),
    ("ca", Algorithm::Catalan),
    ("de", Algorithm::German),
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
    ("it", Algorithm::Italian),
    ("ne", Algorithm::Nepali),
    ("nl", Algorithm::Dutch),
    ("pl", Algorithm::Polish),
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
    algorithm: Algorithm,
    stemmer: snowball_stemmers_rs::Stemmer,
}

impl std::fmt::Debug for Stemmer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Stemmer").field(&self.algorithm).finish()
    }
}

impl Stemmer {
    /// Returns the stemmer of this language, without regard to case.
    pub fn of(language: &str) -> Option<Self> {
        let (_, algorithm) = ALGORITHMS
            .into_iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(language))?;
        Some(Self {
            algorithm,
            stemmer: snowball_stemmers_rs::Stemmer::create(algorithm),
        })
    }

    /// Returns the stem of a word in lower case.
    pub fn stem<'a>(&self, word: &'a str) -> Cow<'a, str> {
        match self.algorithm {
            Algorithm::Italian => self.stemmer.stem(without_elision(word)),
            Algorithm::German => match self.stemmer.stem(word) {
                Cow::Borrowed(stem) => Cow::Borrowed(without_apostrophe(stem)),
                Cow::Owned(mut stem) => {
                    stem.truncate(without_apostrophe(&stem).len());
                    Cow::Owned(stem)
                }
            },
            _ => self.stemmer.stem(word),
        }
    }
}

/// Returns an Italian word without the article or preposition elided to it: Snowball 3.1 does that, the crate does not yet.
fn without_elision(word: &str) -> &str {
    const ELIDED: [&str; 16] = [
        "all", "d", "dall", "dell", "gl", "l", "m", "nell", "quell", "quest", "s", "sull", "t",
        "tutt", "un", "v",
    ];
    match word.split_once('\'') {
        Some((before, after)) if ELIDED.contains(&before) && !after.is_empty() => after,
        _ => word,
    }
}

/// Returns a German stem without a genitive or adjective ending behind an apostrophe: Snowball 3.1 does that, the crate
/// does not yet.
fn without_apostrophe(stem: &str) -> &str {
    let Some((before, ending)) = stem.rsplit_once('\'') else {
        return stem;
    };
    let long = before.chars().nth(1).is_some();
    if long && matches!(ending, "" | "s" | "sch") {
        before
    } else {
        stem
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
    fn the_list_is_alphabetical_and_every_code_is_a_stemmer() {
        assert!(LANGUAGES.is_sorted());
        assert!(LANGUAGES.iter().all(|code| Stemmer::of(code).is_some()));
    }
}
