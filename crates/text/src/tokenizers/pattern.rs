//! `'regex:…'`: the matches of a regular expression.

use regex::Regex;

use super::{Span, Tokenizer};

/// What the name of such a tokenizer begins with, without regard to case.
const PREFIX: &str = "regex:";

/// Takes each match of a pattern for a token; matches of nothing are none.
///
/// The pattern is in the syntax of the crate regex, which is Unicode's and knows no look-around and no back-references;
/// it runs in time linear in the text, whatever the pattern.
#[derive(Debug)]
pub struct Pattern(Regex);

impl Pattern {
    /// Returns the tokenizer that a name such as `regex:\w+` says; none where the name does not begin so.
    ///
    /// # Errors
    /// Fails where what stands behind `regex:` is no regular expression.
    pub fn named(name: &str) -> Option<Result<Self, regex::Error>> {
        let prefix = name.get(..PREFIX.len())?;
        prefix
            .eq_ignore_ascii_case(PREFIX)
            .then(|| Regex::new(&name[PREFIX.len()..]).map(Self))
    }
}

impl Tokenizer for Pattern {
    fn cut<'a>(&self, text: &'a str, _: &'a mut String, spans: &mut Vec<Span>) -> &'a str {
        let matches = self.0.find_iter(text).filter(|found| !found.is_empty());
        spans.extend(matches.map(|found| Span::new(found.start(), found.len())));
        text
    }
}

#[cfg(test)]
mod tests {
    use super::super::tokens;
    use super::*;

    fn check(name: &str, text: &str, expected: &[&str]) {
        let pattern = Pattern::named(name).expect("a pattern").expect("valid");
        assert_eq!(tokens(&pattern, text), expected, "{name}");
    }

    #[test]
    fn each_match_is_a_token() {
        check("regex:[0-9]+", "a1b22", &["1", "22"]);
        check("REGEX:(?i)[a-é]+|:", "Aé:b", &["Aé", ":", "b"]);
    }

    #[test]
    fn matches_of_nothing_are_none() {
        check("regex:x*", "axxb", &["xx"]);
    }

    #[test]
    fn other_names_are_none_and_wrong_patterns_an_error() {
        assert!(Pattern::named("word").is_none() && Pattern::named("regéx:").is_none());
        assert!(Pattern::named("regex:(").expect("a pattern").is_err());
    }
}
