//! User words added to a dictionary, one after another.

use std::collections::HashMap;

use super::dictionary::{Dictionary, Entry, Word};
use super::words::Node;

/// What is added to a dictionary, as jieba's `add_word` adds it: each word sees those before it.
#[derive(Debug)]
pub(super) struct Additions<'a> {
    base: &'a Dictionary,
    /// Where a character leads from a beginning of the words, by numbers; the empty one is 0.
    next: HashMap<(u32, char), u32>,
    /// The words themselves, by the number of the beginning that is all of them.
    entries: Vec<Option<Entry>>,
    /// The sum of all frequencies.
    pub(super) total: u64,
}

/// A beginning of words, of the dictionary or of those that are added.
#[derive(Clone, Copy)]
struct Beginning {
    base: Option<Node>,
    added: Option<u32>,
}

impl<'a> Additions<'a> {
    /// Adds nothing yet.
    pub(super) fn to(base: &'a Dictionary) -> Self {
        Self {
            base,
            next: HashMap::new(),
            entries: vec![None],
            total: base.total(),
        }
    }

    /// Adds a word, and returns what it is now.
    pub(super) fn add(&mut self, (word, frequency, tag): Word<'_>) -> Entry {
        let characters: Vec<char> = word.chars().collect();
        let known = self.find(&characters).and_then(|found| self.entry(found));
        let tag = tag.map(Into::into);
        let tag = tag.or_else(|| known.and_then(|known| known.tag.clone()));
        let frequency = match frequency {
            Some(frequency) => frequency as u64,
            None => self.suggested(&characters),
        };
        let mut at = 0;
        for character in characters {
            at = *self.next.entry((at, character)).or_insert_with(|| {
                self.entries.push(None);
                self.entries.len() as u32 - 1
            });
        }
        let entry = Entry { frequency, tag };
        self.entries[at as usize] = Some(entry.clone());
        self.total = self.total.saturating_add(frequency);
        entry
    }

    fn first(&self, character: char) -> Option<Beginning> {
        let words = self.base.words();
        let code = words.code(character);
        let base = (code != 0).then(|| words.first(code));
        self.beginning(base, self.next.get(&(0, character)))
    }

    fn step(&self, from: Beginning, character: char) -> Option<Beginning> {
        let words = self.base.words();
        let code = words.code(character);
        let base = from.base.filter(|_| code != 0);
        let base = base.and_then(|node| words.next(node, code));
        let added = from.added.and_then(|at| self.next.get(&(at, character)));
        self.beginning(base, added)
    }

    fn beginning(&self, base: Option<Node>, added: Option<&u32>) -> Option<Beginning> {
        let base = base.filter(|node| node.leads_on());
        let added = added.copied();
        (base.is_some() || added.is_some()).then_some(Beginning { base, added })
    }

    fn find(&self, characters: &[char]) -> Option<Beginning> {
        let (first, rest) = characters.split_first()?;
        let mut rest = rest.iter();
        rest.try_fold(self.first(*first)?, |from, next| self.step(from, *next))
    }

    /// Returns the word that is all of a beginning.
    fn entry(&self, found: Beginning) -> Option<&Entry> {
        let added = found
            .added
            .and_then(|at| self.entries[at as usize].as_ref());
        added.or_else(|| self.base.entry(found.base?.entry()))
    }

    /// Returns the frequency of a word: 0 for a beginning that is none, as jieba has it.
    fn frequency(&self, found: Beginning) -> u64 {
        self.entry(found).map_or(0, |entry| entry.frequency)
    }

    /// Returns the least frequency that keeps a word in one piece, as jieba's `suggest_freq` does without `tune`.
    fn suggested(&self, word: &[char]) -> u64 {
        let all = self.total as f64;
        // The way from each character to the end: how probable, and where the first word of it ends.
        let mut ways = vec![(0.0, word.len()); word.len() + 1];
        for at in (0..word.len()).rev() {
            let mut best = None;
            let mut found = self.first(word[at]);
            let mut end = at + 1;
            while let Some(beginning) = found {
                let frequency = self.frequency(beginning);
                if frequency > 0 {
                    let score = (frequency as f64).ln() - all.ln() + ways[end].0;
                    if best.is_none_or(|(best, _)| score >= best) {
                        best = Some((score, end));
                    }
                }
                found = word.get(end).and_then(|next| self.step(beginning, *next));
                end += 1;
            }
            ways[at] = best.unwrap_or((0.0 - all.ln() + ways[at + 1].0, at + 1));
        }
        let is_letter = |at: usize, end: usize| end == at + 1 && word[at].is_ascii_alphanumeric();
        let frequency = |piece: &[char]| self.find(piece).map(|found| self.frequency(found));
        let (mut share, mut at) = (1.0, 0);
        while at < word.len() {
            let mut end = ways[at].1;
            if is_letter(at, end) {
                // Letters and digits that are no words stay together.
                while end < word.len() && is_letter(end, ways[end].1) {
                    end += 1;
                }
            }
            share *= frequency(&word[at..end]).unwrap_or(1) as f64 / all;
            at = end;
        }
        let least = ((share * all) as u64).saturating_add(1);
        least.max(frequency(word).unwrap_or(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks the frequencies that words get one after another.
    fn check(words: &[(Word<'_>, u64)]) {
        let base = Dictionary::built_in();
        let mut additions = Additions::to(&base);
        for (word, expected) in words {
            assert_eq!(additions.add(*word).frequency, *expected, "{word:?}");
        }
    }

    // What is expected is what jieba.add_word returns or sets.
    #[test]
    fn words_get_the_least_frequency_that_keeps_them_in_one_piece() {
        check(&[
            (("云原生", None, None), 1),
            (("清华大学", None, None), 923),
            (("IC", None, None), 1),
            (("PC", None, None), 1),
            (("IC", None, None), 2),
            (("卡拉OK厅", None, None), 1),
            (("a1b2", None, None), 1),
            (("台中", None, None), 69),
            (("中将", Some(0), None), 0),
            (("台中将", None, None), 1),
            (("云原生", Some(7), None), 7),
            (("云原生平台", None, None), 1),
            (("龘龘", None, None), 1),
            (("𠀀", None, None), 2),
            (("我们的家", None, None), 1),
            (("SIM", None, None), 1),
            (("AT&T公司", None, None), 1),
        ]);
    }
}
