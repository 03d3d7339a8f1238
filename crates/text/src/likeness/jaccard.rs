//! Jaccard similarity of two sets of tokens.

use hashbrown::HashMap;

/// Returns the Jaccard index |A ∩ B| / |A ∪ B| of the distinct tokens, from 0 to 1; of two empty lists 1.
pub fn jaccard_similarity<'a>(
    a: impl Iterator<Item = &'a str>,
    b: impl Iterator<Item = &'a str>,
) -> f64 {
    // Of each token: is it counted as shared already, or never to be?
    let mut settled: HashMap<&str, bool> = a.map(|token| (token, false)).collect();
    let mut shared = 0;
    for token in b {
        let settled = settled.entry(token).or_insert(true);
        if !*settled {
            *settled = true;
            shared += 1;
        }
    }
    if settled.is_empty() {
        return 1.0;
    }
    f64::from(shared) / settled.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(a: &str, b: &str, expected: f64) {
        let found = jaccard_similarity(a.split_whitespace(), b.split_whitespace());
        assert_eq!(found, expected, "{a:?} {b:?}");
    }

    #[test]
    fn a_token_counts_once_however_often_it_stands() {
        // {to, be, or, not} and {not, to, be}: 3 of 4.
        check("to be or not to be", "not to be not", 0.75);
        check("a a a", "a", 1.0);
    }

    #[test]
    fn empty_lists_are_alike() {
        check("", "", 1.0);
        check("a", "", 0.0);
    }
}
