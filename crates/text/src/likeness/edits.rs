//! Levenshtein and Jaro-Winkler similarity, over code points.

use rapidfuzz::distance::{jaro_winkler, levenshtein};

/// Returns 1 − d / n from 0 to 1: d is the Levenshtein distance, n the number of code points of the longer text.
///
/// Two empty texts are alike: 1. It takes time in the product of the lengths, 64 code points at a time.
pub fn levenshtein_similarity(a: &str, b: &str) -> f64 {
    // Bytes of ASCII are its code points, and need no decoding.
    if a.is_ascii() && b.is_ascii() {
        levenshtein::normalized_similarity(a.bytes(), b.bytes())
    } else {
        levenshtein::normalized_similarity(a.chars(), b.chars())
    }
}

/// Returns the Jaro-Winkler similarity from 0 to 1: Jaro's, raised where up to four first code points are equal.
///
/// The raise is 0.1 for each, of what is missing to 1, and only where Jaro's is above 0.7. Two empty texts are alike: 1.
pub fn jaro_winkler_similarity(a: &str, b: &str) -> f64 {
    if a.is_ascii() && b.is_ascii() {
        jaro_winkler::similarity(a.bytes(), b.bytes())
    } else {
        jaro_winkler::similarity(a.chars(), b.chars())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(kernel: fn(&str, &str) -> f64, a: &str, b: &str, expected: f64) {
        let found = kernel(a, b);
        assert!(
            (found - expected).abs() < 1e-12,
            "{a:?} {b:?}: {found}, expected {expected}"
        );
    }

    #[test]
    fn edits_are_counted_in_code_points() {
        // kitten, sitten, sittin, sitting: 3 edits of 7.
        check(levenshtein_similarity, "kitten", "sitting", 4.0 / 7.0);
        check(levenshtein_similarity, "北京大学", "北京学", 3.0 / 4.0);
        check(levenshtein_similarity, "é", "e\u{301}", 0.0);
    }

    #[test]
    fn a_common_beginning_raises_what_is_above_seven_tenths() {
        // Winkler 1990: six matches, one transposition, three first letters; 17/18 + 0.3 / 18.
        check(jaro_winkler_similarity, "MARTHA", "MARHTA", 17.3 / 18.0);
        // Two matches of 2 and 5: (1 + 0.4 + 1) / 3 = 0.8, and 0.2 of the missing 0.2 more.
        check(jaro_winkler_similarity, "ab", "abcde", 0.84);
        // Two matches of 2 and 25: (1 + 0.08 + 1) / 3 is below 0.7.
        check(
            jaro_winkler_similarity,
            "ab",
            "abcdefghijklmnopqrstuvwxy",
            2.08 / 3.0,
        );
    }

    #[test]
    fn empty_texts_are_alike() {
        for kernel in [levenshtein_similarity, jaro_winkler_similarity] {
            check(kernel, "", "", 1.0);
            check(kernel, "", "a", 0.0);
        }
    }

    /// The definition: one row of the table of distances after the other.
    fn distance(a: &str, b: &str) -> usize {
        let b: Vec<char> = b.chars().collect();
        let mut row: Vec<usize> = (0..=b.len()).collect();
        for (above, a) in a.chars().enumerate() {
            let mut diagonal = std::mem::replace(&mut row[0], above + 1);
            for (at, b) in b.iter().enumerate() {
                let replaced = diagonal + usize::from(a != *b);
                diagonal = row[at + 1];
                row[at + 1] = replaced.min(diagonal + 1).min(row[at] + 1);
            }
        }
        row[b.len()]
    }

    proptest! {
        #[test]
        fn the_fast_distance_is_the_definitions(a in "[ab]{0,90}|[abé漢]{0,200}", b in "[ab]{0,90}|[abé漢]{0,200}") {
            let longer = a.chars().count().max(b.chars().count());
            let expected = if longer == 0 { 1.0 } else { 1.0 - distance(&a, &b) as f64 / longer as f64 };
            prop_assert!((levenshtein_similarity(&a, &b) - expected).abs() < 1e-12);
        }

        #[test]
        fn a_text_is_most_like_itself_and_likeness_has_no_direction(a in "[abé漢]{0,80}", b in "[abé漢]{0,80}") {
            for kernel in [levenshtein_similarity, jaro_winkler_similarity] {
                prop_assert_eq!(kernel(&a, &a), 1.0);
                prop_assert!((kernel(&a, &b) - kernel(&b, &a)).abs() < 1e-12);
                prop_assert!((0.0..=1.0).contains(&kernel(&a, &b)));
            }
        }
    }
}
