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

/// Appends `text` with one space for every run of white space between two others, and none at its ends.
pub fn normalize_spaces(text: &str, out: &mut String) {
    let start = out.len();
    for run in between_spaces(text) {
        if out.len() > start {
            out.push(' ');
        }
        out.push_str(run);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_one_space_and_the_ends_have_none() {
        let mut out = String::from("kept");
        normalize_spaces("\n a \t\u{3000}b ", &mut out);
        assert_eq!(out, "kepta b");
        normalize_spaces(" ", &mut out);
        assert_eq!(out, "kepta b");
    }

    #[test]
    fn separators_of_ascii_are_white_space_and_zero_width_is_not() {
        let runs: Vec<_> = between_spaces(" a\u{1c}b\u{1f}\u{3000}c\u{200b}d\n").collect();
        assert_eq!(runs, ["a", "b", "c\u{200b}d"]);
    }
}
