//! The words that jieba cuts by.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, LazyLock};

/// The tag of what nobody knows.
const UNKNOWN: &str = "x";

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
