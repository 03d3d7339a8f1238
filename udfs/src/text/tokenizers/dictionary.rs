//! The words that jieba cuts by.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::{Arc, LazyLock};

use super::jieba::is_between_blocks;

/// The tag of what nobody knows.
const UNKNOWN: &str = "x";

/// The longest part of a text that is cut at once, in bytes.
const PART: usize = 1 << 20;

/// How many characters the longest word of jieba's dictionary has.
const LONGEST_BUILT_IN: usize = 16;

/// Words with frequencies: jieba's own dictionary, one of the user's, or both.
#[derive(Debug, Clone)]
pub struct Dictionary {
    pub(super) words: jieba_rs::Jieba,
    /// Characters of the longest word.
    pub(super) longest: usize,
    /// Words of frequency 0: never joined, not by the hidden Markov model either.
    pub(super) split: HashSet<Box<str>>,
    /// The tags of the user's words: jieba-rs keeps the first that a word had.
    tags: HashMap<Box<str>, Box<str>>,
}

impl Dictionary {
    /// Returns jieba's own dictionary of 349,046 words; loaded when first asked for, once a process.
    pub fn built_in() -> Arc<Self> {
        static BUILT_IN: LazyLock<Arc<Dictionary>> = LazyLock::new(|| {
            Arc::new(Dictionary {
                words: jieba_rs::Jieba::new(),
                longest: LONGEST_BUILT_IN,
                split: HashSet::new(),
                tags: HashMap::new(),
            })
        });
        Arc::clone(&BUILT_IN)
    }

    /// Returns a dictionary without a word: every character is a token, but for what the hidden Markov model joins.
    pub fn empty() -> Self {
        Self {
            words: jieba_rs::Jieba::empty(),
            longest: 1,
            split: HashSet::new(),
            tags: HashMap::new(),
        }
    }

    /// Adds a word, or sets the frequency of one that is there.
    ///
    /// Without a frequency it gets the least that keeps the word in one piece (jieba's `suggest_freq`); frequency 0
    /// keeps it apart. Without a tag it has the one that it had. Empty words are left out.
    pub fn add(&mut self, word: &str, frequency: Option<usize>, tag: Option<&str>) {
        let characters = word.chars().count();
        let mut frequency = frequency;
        if frequency == Some(0) {
            self.split.insert(word.into());
            // One character can't fall apart, and jieba-rs would take it for impossible.
            frequency = Some(usize::from(characters == 1));
        } else {
            self.split.remove(word);
        }
        self.words.add_word(word, frequency, tag);
        if let Some(tag) = tag {
            self.tags.insert(word.into(), tag.into());
        }
        self.longest = self.longest.max(characters);
    }

    /// Adds many words, in order.
    pub fn extend<'a>(
        &mut self,
        words: impl IntoIterator<Item = (&'a str, Option<usize>, Option<&'a str>)>,
    ) {
        for (word, frequency, tag) in words {
            self.add(word, frequency, tag);
        }
    }

    /// Returns the parts of a long text that are cut one by one, so that cutting takes no more room than a part does; they
    /// concatenate to the text, and a text of up to 1 MiB is one.
    ///
    /// A part ends behind a character that jieba ends its blocks at; where there is none in 1 MiB, where neither a word of
    /// the dictionary nor a run of letters, digits and their connectors lies across: there the hidden Markov model alone
    /// could have joined what is cut. Where there is no such place either, it has 1 MiB.
    pub(crate) fn parts<'a>(&'a self, text: &'a str) -> impl Iterator<Item = Range<usize>> + 'a {
        let mut start = 0;
        std::iter::from_fn(move || {
            let rest = &text[start..];
            let length = if rest.len() <= PART {
                rest.len()
            } else {
                self.part(rest)
            };
            start += length;
            (length > 0).then(|| start - length..start)
        })
    }

    fn part(&self, rest: &str) -> usize {
        let most = rest.floor_char_boundary(PART);
        let mut characters = rest[..most].char_indices();
        let between = characters.rfind(|(_, character)| {
            // A carriage return and a line feed are one token.
            *character != '\r' && is_between_blocks(*character)
        });
        if let Some((at, character)) = between {
            return at + character.len_utf8();
        }
        let mut places = rest[..most].char_indices().map(|(at, _)| at);
        let is_run =
            |at: usize| rest.as_bytes()[at - 1].is_ascii() && rest.as_bytes()[at].is_ascii();
        let place = places.rfind(|at| *at > 0 && !is_run(*at) && !self.lies_across(rest, *at));
        place.unwrap_or(most)
    }

    /// Tells whether a word begins before a place and ends behind it.
    fn lies_across(&self, text: &str, place: usize) -> bool {
        let starts = text[..place].char_indices().rev().map(|(at, _)| at);
        let ends = || {
            let behind = text[place..]
                .char_indices()
                .skip(1)
                .map(|(at, _)| place + at);
            behind.chain([text.len()]).take(self.longest)
        };
        let mut starts = starts.take(self.longest);
        starts.any(|start| ends().any(|end| self.words.has_word(&text[start..end])))
    }

    /// Tells whether these characters are a word that may stand as a token.
    pub(crate) fn has(&self, word: &str) -> bool {
        self.words.has_word(word) && (self.split.is_empty() || !self.split.contains(word))
    }

    /// Tells whether these characters are in the dictionary.
    pub(crate) fn has_word(&self, word: &str) -> bool {
        self.words.has_word(word)
    }

    /// Returns the most probable words of a block of word characters, with their tags, and between them what is none:
    /// runs of letters and digits, and other characters one by one, whose tags say nothing where they are unknown.
    pub(crate) fn tagged_words<'a>(
        &'a self,
        block: &'a str,
    ) -> impl Iterator<Item = (&'a str, &'a str)> {
        let words = self.words.tag(block, false).into_iter();
        words.map(|found| (found.word, self.users_tag(found.word, found.tag)))
    }

    /// Returns the tag of a character: `x` for one that is no word, and for a word that has none.
    pub(crate) fn tag<'a>(&'a self, character: &'a str) -> &'a str {
        match self.words.tag(character, false).first() {
            Some(found) if self.words.has_word(character) => self.users_tag(character, found.tag),
            _ => UNKNOWN,
        }
    }

    fn users_tag<'a>(&'a self, word: &str, tag: &'a str) -> &'a str {
        if !self.tags.is_empty()
            && let Some(tag) = self.tags.get(word)
        {
            return tag;
        }
        if tag.is_empty() { UNKNOWN } else { tag }
    }
}
