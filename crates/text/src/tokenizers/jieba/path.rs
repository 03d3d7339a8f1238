//! Maximum-probability path through the words of a block.

use super::dictionary::Dictionary;
use super::words::Node;

/// The best way from a character to the end of its block.
#[derive(Debug, Clone, Copy)]
pub(super) struct Way {
    /// The logarithm of its probability.
    score: f64,
    /// Where its first word ends, in characters.
    pub(super) end: u32,
    /// The number of that word's entry, 0 for a character that is in no dictionary.
    pub(super) entry: u32,
}

/// The characters of a block, and the best way through them; it serves block after block.
#[derive(Debug, Default)]
pub(super) struct Path {
    /// Where each character begins in its text, and the end of the last.
    pub(super) starts: Vec<u32>,
    codes: Vec<u32>,
    ways: Vec<Way>,
}

/// How many characters ahead the next place in memory is asked for.
const AHEAD: usize = 4;

impl Path {
    /// Begins a block.
    pub(super) fn clear(&mut self) {
        self.starts.clear();
        self.codes.clear();
    }

    /// Returns how many characters the block has.
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.codes.len()
    }

    /// Adds a character, with where it begins in its text.
    #[inline]
    pub(super) fn push(&mut self, dictionary: &Dictionary, start: usize, character: char) {
        self.starts.push(start as u32);
        self.codes.push(dictionary.words().code(character));
    }

    /// Ends the block at a place of its text.
    pub(super) fn end(&mut self, end: usize) {
        self.starts.push(end as u32);
    }

    /// Returns where a character begins in its text, in bytes.
    #[inline]
    pub(super) fn start(&self, character: usize) -> usize {
        self.starts[character] as usize
    }

    /// Finds the best way, as jieba's `calc` does: of equally probable words the longest.
    pub(super) fn find(&mut self, dictionary: &Dictionary) {
        let (words, weights) = (dictionary.words(), &dictionary.weights);
        let (codes, unknown) = (&*self.codes, dictionary.unknown());
        let end = Way {
            score: 0.0,
            end: codes.len() as u32,
            entry: 0,
        };
        // All that is read below has been written before.
        self.ways.resize(codes.len() + 1, end);
        self.ways[codes.len()] = end;
        for at in (0..codes.len()).rev() {
            // Each step of a word waits for the one before, but words don't wait for each other.
            if let Some(ahead) = at.checked_sub(AHEAD) {
                words.fetch(words.first(codes[ahead]), codes[ahead + 1]);
            }
            let mut node = words.first(codes[at]);
            let mut best = Way {
                score: f64::NEG_INFINITY,
                end: 0,
                entry: 0,
            };
            for next in at + 1..=codes.len() {
                let entry = node.entry();
                if entry != 0 {
                    let score = weights[entry as usize] + self.ways[next].score;
                    if score >= best.score {
                        best = Way {
                            score,
                            end: next as u32,
                            entry,
                        };
                    }
                }
                let Some(code) = codes.get(next) else { break };
                let Some(found) = words.next(node, *code) else {
                    break;
                };
                node = found;
            }
            if best.end == 0 {
                best = Way {
                    score: unknown + self.ways[at + 1].score,
                    end: at as u32 + 1,
                    // It may be a word that never stands as one.
                    entry: words.first(codes[at]).entry(),
                };
            }
            self.ways[at] = best;
        }
    }

    /// Returns the way from a character, once it has been found.
    #[inline]
    pub(super) fn way(&self, at: usize) -> Way {
        self.ways[at]
    }

    /// Calls `each` with where words that begin at a character end, the shortest first.
    pub(super) fn for_each_word(
        &self,
        dictionary: &Dictionary,
        at: usize,
        mut each: impl FnMut(usize),
    ) {
        let words = dictionary.words();
        let mut node = words.first(self.codes[at]);
        for end in at + 1..=self.codes.len() {
            if dictionary.is_word(node.entry()) {
                each(end);
            }
            let Some(code) = self.codes.get(end) else {
                break;
            };
            let Some(found) = words.next(node, *code) else {
                break;
            };
            node = found;
        }
    }

    /// Returns the number of the entry of the word from one character to before another, or 0.
    pub(super) fn entry(&self, dictionary: &Dictionary, from: usize, to: usize) -> u32 {
        let words = dictionary.words();
        let mut codes = self.codes[from + 1..to].iter();
        let first = words.first(self.codes[from]);
        let last = codes.try_fold(first, |node, code| words.next(node, *code));
        last.map_or(0, Node::entry)
    }

    /// Gives memory back that few texts need.
    pub(super) fn release_if_huge(&mut self) {
        const MOST_KEPT: usize = 1 << 16;
        if self.codes.capacity() > MOST_KEPT {
            *self = Self::default();
        }
    }
}
