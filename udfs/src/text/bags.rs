//! A list of tokens without its order.

/// Calls `each` with every distinct token and how often it stands in the list, in byte order.
///
/// `keys` is a buffer; what it held is lost.
pub fn for_each_count<'a>(
    tokens: impl Iterator<Item = &'a str>,
    keys: &mut Vec<(u64, &'a str)>,
    mut each: impl FnMut(&'a str, i64),
) {
    keys.clear();
    keys.extend(tokens.map(|token| (prefix(token), token)));
    // Most tokens differ in their first eight bytes: numbers are compared faster than texts.
    keys.sort_unstable();
    for equal in keys.chunk_by(|a, b| a == b) {
        each(equal[0].1, equal.len() as i64);
    }
}

/// Returns the first eight bytes as a number that is ordered as they are.
#[inline]
fn prefix(token: &str) -> u64 {
    let bytes = token.as_bytes();
    match bytes.first_chunk::<8>() {
        Some(first) => u64::from_be_bytes(*first),
        None => {
            let mut first = [0; 8];
            first[..bytes.len()].copy_from_slice(bytes);
            u64::from_be_bytes(first)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn counts_are_those_of_an_ordered_map(tokens in prop::collection::vec("[ab\\x00é]{0,10}", 0..40)) {
            let mut expected = BTreeMap::new();
            for token in &tokens {
                *expected.entry(token.as_str()).or_insert(0) += 1;
            }
            let mut found = Vec::new();
            for_each_count(tokens.iter().map(String::as_str), &mut Vec::new(), |token, count| found.push((token, count)));
            prop_assert_eq!(found, expected.into_iter().collect::<Vec<_>>());
        }
    }
}
