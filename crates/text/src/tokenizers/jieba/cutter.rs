//! Word segmentation of a text: blocks, the best path through each, and the runs between known words.

use std::cell::Cell;
use std::ops::Range;

use super::dictionary::Dictionary;
use super::hidden_markov::HiddenStates;
use super::path::Path;
use super::{Class, class, for_each_piece};

thread_local! {
    static CUTTER: Cell<Cutter> = Cell::default();
}

/// What cuts texts; its memory serves text after text.
#[derive(Debug, Default)]
pub(super) struct Cutter {
    pub(super) path: Path,
    hidden: HiddenStates,
}

impl Cutter {
    /// Lends this thread's; who asks for it within that work gets another.
    pub(super) fn lend<T>(work: impl FnOnce(&mut Self) -> T) -> T {
        let mut cutter = CUTTER.take();
        let done = work(&mut cutter);
        cutter.path.release_if_huge();
        cutter.hidden.release_if_huge();
        CUTTER.set(cutter);
        done
    }

    /// Calls `each` with where the most probable words in a range of a text begin and end, in order, as jieba's `cut` finds
    /// them, and with the number of a word's entry: 0 for what is in no dictionary, and for what the model finds.
    pub(super) fn cut(
        &mut self,
        dictionary: &Dictionary,
        text: &str,
        range: Range<usize>,
        hmm: bool,
        each: &mut impl FnMut(usize, usize, u32),
    ) {
        self.path.clear();
        let mut is_behind_return = false;
        for (at, character) in text[range.clone()].char_indices() {
            let at = range.start + at;
            if class(character) == Class::Word {
                self.path.push(dictionary, at, character);
                continue;
            }
            self.end_block(dictionary, text, at, hmm, each);
            if std::mem::take(&mut is_behind_return) {
                // The line feed of a token that is out already.
                continue;
            }
            let rest = &text.as_bytes()[at..range.end];
            is_behind_return = rest.starts_with(b"\r\n");
            each(
                at,
                at + character.len_utf8() + usize::from(is_behind_return),
                0,
            );
        }
        self.end_block(dictionary, text, range.end, hmm, each);
    }

    /// Cuts the block that ends at a place of its text.
    fn end_block(
        &mut self,
        dictionary: &Dictionary,
        text: &str,
        end: usize,
        hmm: bool,
        each: &mut impl FnMut(usize, usize, u32),
    ) {
        let count = self.path.len();
        if count == 0 {
            return;
        }
        self.path.end(end);
        self.path.find(dictionary);
        let mut open = None;
        let mut at = 0;
        while at < count {
            let way = self.path.way(at);
            let next = way.end as usize;
            let start = self.path.start(at);
            if next == at + 1 && (hmm || text.as_bytes()[start].is_ascii_alphanumeric()) {
                open.get_or_insert(at);
            } else {
                if let Some(open) = open.take() {
                    self.between(dictionary, text, open..at, hmm, each);
                }
                each(start, self.path.start(next), way.entry);
            }
            at = next;
        }
        if let Some(open) = open {
            self.between(dictionary, text, open..count, hmm, each);
        }
        self.path.clear();
    }

    /// Cuts characters that each stand alone on the best way.
    fn between(
        &mut self,
        dictionary: &Dictionary,
        text: &str,
        characters: Range<usize>,
        hmm: bool,
        each: &mut impl FnMut(usize, usize, u32),
    ) {
        let (from, to) = (characters.start, characters.end);
        let place = |at: usize| self.path.start(at);
        let entry = self.path.entry(dictionary, from, to);
        if !hmm || to - from == 1 {
            return each(place(from), place(to), entry);
        }
        if dictionary.is_word(entry) {
            return characters
                .for_each(|at| each(place(at), place(at + 1), self.path.way(at).entry));
        }
        let is_ascii = |at: &usize| text.as_bytes()[place(*at)].is_ascii();
        let mut rest = characters;
        while !rest.is_empty() {
            let start = rest.start;
            let is_foreign = is_ascii(&start);
            let end = rest.clone().find(|at| is_ascii(at) != is_foreign);
            let end = end.unwrap_or(to);
            rest.start = end;
            if is_foreign {
                for_each_piece(&text[place(start)..place(end)], |piece| {
                    each(place(start) + piece.start, place(start) + piece.end, 0);
                });
                continue;
            }
            let starts = &self.path.starts[start..=end];
            self.hidden.for_each_word(text, starts, |from, to| {
                if !dictionary.split.contains(&text[from..to]) {
                    return each(from, to, 0);
                }
                for (at, character) in text[from..to].char_indices() {
                    each(from + at, from + at + character.len_utf8(), 0);
                }
            });
        }
    }
}

impl Dictionary {
    /// Calls `each` with the most probable words of a block of word characters, with their tags, and between them what is
    /// none: runs of letters and digits, and other characters one by one, whose tag is `x`.
    pub(crate) fn for_each_word<'a>(
        &'a self,
        block: &'a str,
        mut each: impl FnMut(&'a str, &'a str),
    ) {
        Cutter::lend(|cutter| {
            cutter.cut(
                self,
                block,
                0..block.len(),
                false,
                &mut |from, to, entry| {
                    each(&block[from..to], self.tag_of(entry));
                },
            );
        });
    }
}
