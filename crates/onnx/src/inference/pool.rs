//! Encoded texts of all callers, out of which each run is packed when a worker is free.

use std::collections::VecDeque;

use super::encoder::Encoded;
use super::packing::run_with;
use super::queue::{Queue, Waiting};

/// Texts that wait, whoever's they are.
///
/// Callers take turns: a run is made for the longest text of the caller whose turn it is, and the texts that go best
/// with it are whoever's. So the largest tensors of a caller come first, and memory does not grow after them; among so
/// many callers each has a text in one of so many runs, however long the others go on.
#[derive(Debug)]
pub(super) struct Pool {
    /// Ascending by length.
    texts: Vec<Waiting<Encoded>>,
    /// Who waits; a caller whose texts have gone in others' runs may still be here.
    turns: VecDeque<u64>,
    /// Tokens of a run, padding included.
    max_batch_tokens: usize,
}

impl Pool {
    pub(super) fn new(max_batch_tokens: usize) -> Self {
        Self {
            texts: Vec::new(),
            turns: VecDeque::new(),
            max_batch_tokens,
        }
    }
}

fn length(text: &Waiting<Encoded>) -> usize {
    text.item.ids.len()
}

impl Queue<Encoded> for Pool {
    fn add(&mut self, caller: u64, items: Vec<Encoded>) {
        let items = items.into_iter().enumerate();
        self.texts.extend(items.map(|(place, item)| Waiting {
            caller,
            place,
            item,
        }));
        self.texts.sort_by_key(length);
        self.turns.push_back(caller);
    }

    fn take_back(&mut self, caller: u64) {
        self.texts.retain(|text| text.caller != caller);
    }

    fn take(&mut self) -> Vec<Waiting<Encoded>> {
        while let Some(caller) = self.turns.pop_front() {
            let longest = self.texts.iter().rposition(|text| text.caller == caller);
            if let Some(longest) = longest {
                self.turns.push_back(caller);
                let run = run_with(&self.texts, longest, self.max_batch_tokens, length);
                return self.texts.drain(run).collect();
            }
        }
        Vec::new()
    }

    fn runs(&self, enough: usize) -> usize {
        let mut left = &self.texts[..];
        for run in 0..enough {
            let Some(longest) = left.len().checked_sub(1) else {
                return run;
            };
            left = &left[..run_with(left, longest, self.max_batch_tokens, length).start];
        }
        enough
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Adds a caller's texts, of these lengths.
    fn add(pool: &mut Pool, caller: u64, lengths: &[usize]) {
        let texts = lengths.iter().map(|length| Encoded {
            ids: vec![1; *length],
            types: vec![0; *length],
        });
        pool.add(caller, texts.collect());
    }

    /// Takes a run: its callers, places and lengths.
    fn take(pool: &mut Pool) -> Vec<(u64, usize, usize)> {
        let run = pool.take();
        run.iter()
            .map(|text| (text.caller, text.place, length(text)))
            .collect()
    }

    #[test]
    fn texts_of_several_callers_share_a_run() {
        let mut pool = Pool::new(40);
        add(&mut pool, 1, &[4, 10]);
        add(&mut pool, 2, &[10, 3, 9]);
        assert_eq!(pool.runs(9), 2);
        let first = [(2, 2, 9), (1, 1, 10), (2, 0, 10)];
        assert_eq!(take(&mut pool)[1..], first);
        assert_eq!(take(&mut pool), [(2, 1, 3)]);
        assert_eq!(take(&mut pool), []);
    }

    #[test]
    fn a_caller_with_many_texts_does_not_keep_one_with_few_waiting() {
        let mut pool = Pool::new(100);
        add(&mut pool, 1, &[100; 1000]);
        add(&mut pool, 2, &[5, 6]);
        assert_eq!(take(&mut pool)[0].0, 1);
        assert_eq!(take(&mut pool), [(2, 0, 5), (2, 1, 6)]);
        assert_eq!(take(&mut pool)[0].0, 1);
    }

    #[test]
    fn short_texts_go_though_others_come_with_longer_ones() {
        let mut pool = Pool::new(100);
        add(&mut pool, 0, &[5; 60]);
        for caller in 1..100 {
            add(&mut pool, caller, &[100; 3]);
            take(&mut pool);
        }
        // One run a turn: the turns of all who came before it and of those who came since.
        let left = pool.texts.iter().filter(|text| text.caller == 0).count();
        assert_eq!(left, 0);
    }

    #[test]
    fn what_is_taken_back_is_not_run() {
        let mut pool = Pool::new(100);
        add(&mut pool, 1, &[7, 8]);
        add(&mut pool, 2, &[7]);
        pool.take_back(1);
        assert_eq!(take(&mut pool), [(2, 0, 7)]);
        assert_eq!(pool.runs(9), 0);
    }

    proptest! {
        #[test]
        fn every_text_is_in_one_run(
            callers in proptest::collection::vec(proptest::collection::vec(1usize..300, 0..40), 1..6),
            most in 1usize..3000,
        ) {
            let mut pool = Pool::new(most);
            let mut expected = Vec::new();
            for (caller, lengths) in callers.iter().enumerate() {
                add(&mut pool, caller as u64, lengths);
                let places = lengths.iter().enumerate();
                expected.extend(places.map(|(place, length)| (caller as u64, place, *length)));
            }
            let mut found = Vec::new();
            loop {
                let run = take(&mut pool);
                if run.is_empty() {
                    break;
                }
                found.extend(run);
            }
            found.sort_unstable();
            prop_assert_eq!(found, expected);
        }
    }
}
