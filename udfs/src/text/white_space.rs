//! White space, as Python and scikit-learn see it.

/// Tells whether a character is white space to Python's `str.isspace` and `\s`: Unicode's property `White_Space`, and
/// the four separators U+001C to U+001F.
#[inline]
pub fn is_space(character: char) -> bool {
    character.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&character)
}

/// Returns the runs of other characters between white space.
pub fn between_spaces(text: &str) -> impl Iterator<Item = &str> {
    text.split(is_space).filter(|run| !run.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separators_of_ascii_are_white_space_and_zero_width_is_not() {
        let runs: Vec<_> = between_spaces(" a\u{1c}b\u{1f}\u{3000}c\u{200b}d\n").collect();
        assert_eq!(runs, ["a", "b", "c\u{200b}d"]);
    }
}
