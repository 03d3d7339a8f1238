//! Stemming algorithms of Snowball 3.1.1, for languages that the crate has in an older version.
//!
//! They are the Snowball project's (BSD-3-Clause, see `LICENSE-snowball.txt`), as its compiler writes them for
//! `python/snowball.py`.

/// Declares modules that a compiler wrote: neither rustfmt nor lints look at them.
macro_rules! generated {
    ($($language:ident)*) => {
        $(#[allow(warnings)] mod $language;)*
    };
}

generated!(czech danish estonian finnish german italian lithuanian norwegian persian polish sesotho);
mod word;

use std::borrow::Cow;

use word::Word;

/// What finds the stem of a word of one language.
pub(super) type Algorithm = fn(&mut Word<'_>) -> bool;

/// The algorithms by ISO 639-1 code, alphabetical.
pub(super) const ALGORITHMS: [(&str, Algorithm); 11] = [
    ("cs", czech::stem),
    ("da", danish::stem),
    ("de", german::stem),
    ("et", estonian::stem),
    ("fa", persian::stem),
    ("fi", finnish::stem),
    ("it", italian::stem),
    ("lt", lithuanian::stem),
    ("no", norwegian::stem),
    ("pl", polish::stem),
    ("st", sesotho::stem),
];

/// Returns the stem of a word in lower case.
pub(super) fn stem(algorithm: Algorithm, word: &str) -> Cow<'_, str> {
    let mut word = Word::new(word);
    algorithm(&mut word);
    word.current
}
