//! A list of tokens without its order.

use std::cmp::Ordering;

use super::keys::{Placed, is_cut, key};

/// Calls `each` with every distinct token and how often it stands in the list, in byte order.
///
/// `keys` is a buffer; what it held is lost.
pub fn for_each_count<'a>(
    tokens: impl Iterator<Item = Placed<'a>>,
    keys: &mut Vec<(u128, &'a str)>,
    mut each: impl FnMut(&'a str, i64),
) {
    keys.clear();
    keys.extend(tokens.map(|token| (key(token), token.text)));
    keys.sort_unstable_by(|a, b| match a.0.cmp(&b.0) {
        Ordering::Equal if is_cut(a.0) => a.1.cmp(b.1),
        order => order,
    });
    for equal in keys.chunk_by(|a, b| a.0 == b.0 && (!is_cut(a.0) || a.1 == b.1)) {
        each(equal[0].1, equal.len() as i64);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn placed(text: &str) -> Placed<'_> {
        Placed {
            text,
            bytes: text.as_bytes(),
        }
    }

    proptest! {
        #[test]
        fn counts_are_those_of_an_ordered_map(tokens in prop::collection::vec("[ab\\x00é]{0,20}", 0..40)) {
            let mut expected = BTreeMap::new();
            for token in &tokens {
                *expected.entry(token.as_str()).or_insert(0) += 1;
            }
            let mut found = Vec::new();
            for_each_count(tokens.iter().map(|token| placed(token)), &mut Vec::new(), |token, count| found.push((token, count)));
            prop_assert_eq!(found, expected.into_iter().collect::<Vec<_>>());
        }
    }
}
