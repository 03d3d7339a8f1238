//! Suggestion for a misspelt name.

/// Returns the known name that is most like `found` (Jaro-Winkler, without case), where one is like it at all.
pub fn nearest<'a>(found: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    /// Below this similarity a suggestion would be noise.
    const ALIKE: f64 = 0.7;
    let found = found.to_lowercase();
    known
        .map(|name| (strsim::jaro_winkler(&found, &name.to_lowercase()), name))
        .filter(|(alike, _)| *alike >= ALIKE)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(found: &str, expected: Option<&str>) {
        assert_eq!(
            nearest(found, ["char", "sklearn", "whitespace", "word"].into_iter()),
            expected,
            "{found}"
        );
    }

    #[test]
    fn a_slip_of_the_pen_finds_its_name() {
        check("sk-learn", Some("sklearn"));
        check("Words", Some("word"));
    }

    #[test]
    fn what_is_like_nothing_finds_nothing() {
        check("jieba", None);
        check("", None);
    }
}
