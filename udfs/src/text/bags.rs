//! Lists of tokens without their order.

use hashbrown::HashTable;

use super::keys::{Keyed, Placed, is_cut};

/// With so many distinct tokens it is time to [`Bags::drain`], while the table of them is in the processor's cache.
const MANY: usize = 1 << 15;

/// Counts the tokens of each of several lists.
///
/// Lists of one corpus share most of their tokens: each is looked up by its number, and the distinct ones are sorted once
/// for all lists, not in each.
#[derive(Debug, Default)]
pub struct Bags<'a> {
    /// The distinct tokens, by number, which is the order that they were seen in.
    terms: Vec<Keyed<'a>>,
    /// The numbers of tokens by their hashes, with their keys.
    numbers: HashTable<(u128, u32)>,
    /// The numbers of the tokens of all lists.
    tokens: Vec<u32>,
    /// Where each list ends.
    ends: Vec<usize>,
    /// Used by [`Bags::drain`]: the distinct tokens in order, the place there of each number, and one list's counts and
    /// places.
    sorted: Vec<(Keyed<'a>, u32)>,
    ranks: Vec<u32>,
    counts: Vec<u32>,
    found: Vec<u32>,
}

/// The distinct tokens of one list, in byte order.
#[derive(Debug, Clone, Copy)]
pub struct Bag<'b, 'a> {
    sorted: &'b [(Keyed<'a>, u32)],
    counts: &'b [u32],
    found: &'b [u32],
}

impl<'a> Bag<'_, 'a> {
    /// Returns each distinct token and how often it stands in the list.
    pub fn iter(self) -> impl ExactSizeIterator<Item = (Keyed<'a>, u32)> {
        let places = self.found.iter().map(|place| *place as usize);
        places.map(move |place| (self.sorted[place].0, self.counts[place]))
    }
}

impl<'a> Bags<'a> {
    /// Adds a list of fewer than 2^32 tokens.
    pub fn add(&mut self, list: impl Iterator<Item = Placed<'a>>) {
        let (terms, numbers) = (&mut self.terms, &mut self.numbers);
        self.tokens.extend(list.map(|token| {
            let token = Keyed::of(token);
            let hash = token.hash();
            let known = numbers.find(hash, |(key, number)| {
                *key == token.key && (!is_cut(*key) || terms[*number as usize].text == token.text)
            });
            if let Some((_, number)) = known {
                return *number;
            }
            let number = terms.len() as u32;
            terms.push(token);
            let hash_of = |(_, number): &(u128, u32)| terms[*number as usize].hash();
            numbers.insert_unique(hash, (token.key, number), hash_of);
            number
        }));
        self.ends.push(self.tokens.len());
    }

    /// Tells whether the lists have so many distinct tokens that more of them would only cost more.
    pub fn is_full(&self) -> bool {
        self.terms.len() >= MANY
    }

    /// Calls `each` with each list, in order, and forgets them.
    pub fn drain<E>(
        &mut self,
        mut each: impl FnMut(Bag<'_, 'a>) -> Result<(), E>,
    ) -> Result<(), E> {
        // All that tells of these lists is gone even after an error.
        let mut all = std::mem::take(&mut self.tokens);
        self.numbers.clear();
        self.sorted.clear();
        self.sorted.extend(self.terms.drain(..).zip(0..));
        self.sorted.sort_unstable();
        self.ranks.resize(self.sorted.len(), 0);
        for (rank, (_, number)) in self.sorted.iter().enumerate() {
            self.ranks[*number as usize] = rank as u32;
        }
        self.counts.clear();
        self.counts.resize(self.sorted.len(), 0);
        let mut start = 0;
        for end in self.ends.drain(..) {
            let tokens = &all[start..end];
            start = end;
            // Every token is written, and the next over it where it was there already: no branch to be guessed.
            self.found
                .resize(tokens.len().min(self.sorted.len()) + 1, 0);
            let mut distinct = 0;
            for number in tokens {
                let rank = self.ranks[*number as usize];
                let count = &mut self.counts[rank as usize];
                self.found[distinct] = rank;
                distinct += usize::from(*count == 0);
                *count += 1;
            }
            let found = &mut self.found[..distinct];
            found.sort_unstable();
            each(Bag {
                sorted: &self.sorted,
                counts: &self.counts,
                found,
            })?;
            for rank in found {
                self.counts[*rank as usize] = 0;
            }
        }
        all.clear();
        self.tokens = all;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::convert::Infallible;

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
        fn counts_are_those_of_an_ordered_map(
            batches in prop::collection::vec(prop::collection::vec(prop::collection::vec("[ab\\x00é]{0,20}", 0..40), 0..4), 0..3),
        ) {
            let mut bags = Bags::default();
            for lists in &batches {
                let mut expected = Vec::new();
                for list in lists {
                    let mut counts = BTreeMap::new();
                    for token in list {
                        *counts.entry(token.as_str()).or_insert(0) += 1;
                    }
                    expected.push(counts.into_iter().collect::<Vec<_>>());
                    bags.add(list.iter().map(|token| placed(token)));
                }
                let mut found = Vec::new();
                bags.drain::<Infallible>(|bag| {
                    found.push(bag.iter().map(|(term, count)| (term.text, count)).collect::<Vec<_>>());
                    Ok(())
                }).expect("no error");
                prop_assert_eq!(found, expected);
            }
        }
    }

    #[test]
    fn they_are_full_with_many_tokens() {
        let tokens: Vec<_> = (0..MANY).map(|number| number.to_string()).collect();
        let mut bags = Bags::default();
        for (seen, list) in tokens.chunks(1000).enumerate() {
            assert!(!bags.is_full(), "{seen}");
            bags.add(list.iter().map(|token| placed(token)));
        }
        assert!(bags.is_full());
        bags.drain::<Infallible>(|_| Ok(())).expect("no error");
        assert!(!bags.is_full());
    }
}
