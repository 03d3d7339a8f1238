//! Token set ratio: similarity of two texts by their sets of words.

use std::collections::BTreeSet;

use rapidfuzz::distance::indel;

use crate::white_space::between_spaces;

/// Returns RapidFuzz's `token_set_ratio` from 0 to 100: how alike two texts are but for what only one of them says.
///
/// Words stand between white space, as Python's `str.split` cuts them. With S the words in both, A and B the words in
/// one only, each joined by spaces in the order of code points, it is the highest ratio of S with S A, S with S B, and
/// S A with S B, where the ratio is 100 · (1 − d / n): d counts the code points to insert or delete, n those of both.
/// It is 100 where the words of one text are all in the other, and 0 where a text has none.
pub fn token_set_ratio(a: &str, b: &str) -> f64 {
    // In byte order, which in UTF-8 is the order of code points.
    let a: BTreeSet<_> = between_spaces(a).collect();
    let b: BTreeSet<_> = between_spaces(b).collect();
    if a.is_empty() || b.is_empty() {
        return 0.0;
    }
    let shared: Vec<_> = a.intersection(&b).copied().collect();
    let only = |a: &BTreeSet<&str>, b| a.difference(b).copied().collect::<Vec<_>>().join(" ");
    let (only_a, only_b) = (only(&a, &b), only(&b, &a));
    if !shared.is_empty() && (only_a.is_empty() || only_b.is_empty()) {
        return 100.0;
    }
    let shared_length = length(&shared.join(" "));
    let space = usize::from(shared_length > 0);
    let (rest_a, rest_b) = (space + length(&only_a), space + length(&only_b));
    // What both start with changes no distance: that of S with S A is the length of what follows S.
    let whole = ratio(
        distance(&only_a, &only_b),
        2 * shared_length + rest_a + rest_b,
    );
    if shared_length == 0 {
        return whole;
    }
    whole
        .max(ratio(rest_a, 2 * shared_length + rest_a))
        .max(ratio(rest_b, 2 * shared_length + rest_b))
}

fn length(text: &str) -> usize {
    text.chars().count()
}

fn distance(a: &str, b: &str) -> usize {
    if a.is_ascii() && b.is_ascii() {
        indel::distance(a.bytes(), b.bytes())
    } else {
        indel::distance(a.chars(), b.chars())
    }
}

fn ratio(distance: usize, lengths: usize) -> f64 {
    100.0 - 100.0 * distance as f64 / lengths as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(a: &str, b: &str, expected: f64) {
        let found = token_set_ratio(a, b);
        assert!(
            (found - expected).abs() < 1e-9,
            "{a:?} {b:?}: {found}, expected {expected}"
        );
    }

    #[test]
    fn what_repeats_or_is_left_out_costs_nothing() {
        check("new york mets", "mets york new york", 100.0);
        check("new york", "the new york mets", 100.0);
    }

    #[test]
    fn without_shared_words_the_letters_count() {
        // ab and ba: one letter out, one in, of four.
        check("ab", "ba", 50.0);
    }

    #[test]
    fn shared_words_count_most() {
        // S = "x y" (3), A = "ab" and B = "ac": the rest is 3 each; S A with S B has 2 edits of 12, S with S A 3 of 9.
        check("x y ab", "ac x y", 100.0 - 200.0 / 12.0);
        // A = "abcdef": S with S B has 3 edits of 9, S A with S B 8 of 16, S with S A 7 of 13.
        check("x y abcdef", "gh x y", 100.0 - 300.0 / 9.0);
    }

    #[test]
    fn a_space_that_breaks_no_line_is_white_space() {
        check("new\u{a0}york", "york new", 100.0);
        check("new\u{85}york\u{a0}", "york new", 100.0);
    }

    #[test]
    fn a_text_without_words_is_like_nothing() {
        check("", "", 0.0);
        check(" ", "a", 0.0);
    }
}
