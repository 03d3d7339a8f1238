//! Stemming algorithms of Snowball 3.1.1, for languages that the crate `snowball_stemmers_rs` has in an older version.
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
#[derive(Clone, Copy)]
pub struct Algorithm(fn(&mut Word<'_>) -> bool);

impl std::fmt::Debug for Algorithm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Algorithm")
    }
}

/// The algorithms by ISO 639-1 code, alphabetical.
pub const ALGORITHMS: [(&str, Algorithm); 11] = [
    ("cs", Algorithm(czech::stem)),
    ("da", Algorithm(danish::stem)),
    ("de", Algorithm(german::stem)),
    ("et", Algorithm(estonian::stem)),
    ("fa", Algorithm(persian::stem)),
    ("fi", Algorithm(finnish::stem)),
    ("it", Algorithm(italian::stem)),
    ("lt", Algorithm(lithuanian::stem)),
    ("no", Algorithm(norwegian::stem)),
    ("pl", Algorithm(polish::stem)),
    ("st", Algorithm(sesotho::stem)),
];

impl Algorithm {
    /// Returns the stem of a word in lower case.
    pub fn stem(self, word: &str) -> Cow<'_, str> {
        let mut word = Word::new(word);
        (self.0)(&mut word);
        word.current
    }
}
