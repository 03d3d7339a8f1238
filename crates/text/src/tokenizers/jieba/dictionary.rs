//! Dictionary of jieba: words, their frequencies and tags.

use std::collections::{HashMap, HashSet};
use std::num::NonZeroU32;
use std::ops::Range;
use std::sync::{Arc, LazyLock};

use include_flate::flate;

use super::additions::Additions;
use super::is_between_blocks;
use super::words::{TooManyWords, Words};

/// The tag of what nobody knows.
const UNKNOWN: &str = "x";

/// The longest part of a text that is cut at once, in bytes.
const PART: usize = 1 << 20;

flate!(static BUILT_IN: str from "src/tokenizers/jieba/words.txt" with zstd);

/// A word of the user's: its frequency and its tag, where they are given.
pub type Word<'a> = (&'a str, Option<usize>, Option<&'a str>);

/// What a word is beside its characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Entry {
    pub(super) frequency: u64,
    pub(super) tag: Option<Box<str>>,
}

/// Words with frequencies: jieba's own dictionary, one of the user's, or both.
#[derive(Debug, Clone)]
pub struct Dictionary {
    words: Words,
    /// What words are, by the numbers that [`Words`] has; 0 is none.
    entries: Vec<Entry>,
    /// The logarithm of the probability of each entry's words; not a number where they never are one, which no comparison takes.
    pub(super) weights: Vec<f64>,
    /// The sum of all frequencies.
    total: u64,
    /// Characters of the longest word.
    longest: usize,
    /// Words that have been given the frequency 0: the hidden Markov model never joins them.
    pub(super) split: HashSet<Box<str>>,
    /// What is not jieba's own.
    users: HashMap<Box<str>, Entry>,
    has_built_in: bool,
}

impl Dictionary {
    /// Returns jieba's own dictionary of 349,045 words; loaded when first asked for, once a process.
    pub fn built_in() -> Arc<Self> {
        static LOADED: LazyLock<Arc<Dictionary>> = LazyLock::new(|| {
            let made = Dictionary::try_new(built_in().0, true, HashMap::new(), HashSet::new());
            Arc::new(made.expect("jieba's own words are few enough"))
        });
        Arc::clone(&LOADED)
    }

    /// Returns a dictionary without a word: every character is a token, but for what the hidden Markov model joins.
    pub fn empty() -> Self {
        let made = Self::try_new(0, false, HashMap::new(), HashSet::new());
        made.expect("no words are few enough")
    }

    /// Returns a dictionary that has these words, too, as jieba's `add_word` adds them one after another.
    ///
    /// Without a frequency a word gets the least that keeps it in one piece (jieba's `suggest_freq`); frequency 0 keeps it
    /// apart, from the hidden Markov model for good. Without a tag it has the one that it had. Empty words are left out. All
    /// words are put together anew, which takes a tenth of a second with jieba's own.
    ///
    /// # Errors
    /// Fails where the words have more beginnings, or more frequencies with tags, than there are numbers for.
    pub fn with<'a>(
        &self,
        words: impl IntoIterator<Item = Word<'a>>,
    ) -> Result<Self, TooManyWords> {
        let (mut users, mut split) = (self.users.clone(), self.split.clone());
        let mut additions = Additions::to(self);
        for word in words {
            if word.0.is_empty() {
                continue;
            }
            let entry = additions.add(word);
            if entry.frequency == 0 {
                split.insert(word.0.into());
            }
            users.insert(word.0.into(), entry);
        }
        Self::try_new(additions.total, self.has_built_in, users, split)
    }

    fn try_new(
        total: u64,
        has_built_in: bool,
        users: HashMap<Box<str>, Entry>,
        split: HashSet<Box<str>>,
    ) -> Result<Self, TooManyWords> {
        let mut entries = vec![Entry {
            frequency: 0,
            tag: None,
        }];
        let mut words = Vec::new();
        if has_built_in {
            for (entry, alike) in built_in().1 {
                let number = NonZeroU32::new(entries.len() as u32).expect("behind the first");
                entries.push(entry);
                words.extend(alike.map(|word| (word, number)));
            }
        }
        let mut numbers: HashMap<&Entry, NonZeroU32> = HashMap::new();
        // In an order, so that equal dictionaries are equal in memory.
        let mut sorted: Vec<_> = users.iter().collect();
        sorted.sort_unstable_by_key(|(word, _)| *word);
        for (word, entry) in sorted {
            let number = *numbers.entry(entry).or_insert_with(|| {
                let number = NonZeroU32::new(entries.len() as u32).expect("behind the first");
                entries.push(entry.clone());
                number
            });
            words.push((word, number));
        }
        let all = (total as f64).ln();
        let weight = |entry: &Entry| match entry.frequency {
            0 => f64::NAN,
            frequency => (frequency as f64).ln() - all,
        };
        let longest = words.iter().map(|(word, _)| word.chars().count()).max();
        Ok(Self {
            words: Words::try_new(&words)?,
            weights: entries.iter().map(weight).collect(),
            longest: longest.unwrap_or(1),
            entries,
            total,
            split,
            users,
            has_built_in,
        })
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
        let starts = text[..place].char_indices().rev().take(self.longest);
        starts.map(|(start, _)| start).any(|start| {
            let mut characters = text[start..].char_indices();
            let first = characters.next().map(|(_, first)| self.words.code(first));
            let mut node = first.map(|code| self.words.first(code));
            // The way on leads behind the place, or ends.
            for (at, character) in characters {
                if start + at > place && node.is_some_and(|node| self.is_word(node.entry())) {
                    return true;
                }
                let code = self.words.code(character);
                node = node.and_then(|node| self.words.next(node, code));
                if node.is_none() {
                    return false;
                }
            }
            node.is_some_and(|node| self.is_word(node.entry()))
        })
    }

    /// Returns the logarithm of the probability of what is in no dictionary.
    pub(super) fn unknown(&self) -> f64 {
        0.0 - (self.total as f64).ln()
    }

    /// Tells whether these characters are a word that may stand as a token.
    pub(crate) fn has(&self, word: &str) -> bool {
        self.get(word).is_some_and(|entry| entry.frequency > 0)
    }

    /// Tells whether these characters are in the dictionary.
    pub(crate) fn has_word(&self, word: &str) -> bool {
        self.get(word).is_some()
    }

    /// Tells whether this is the number of an entry of words that may stand as tokens.
    #[inline]
    pub(super) fn is_word(&self, entry: u32) -> bool {
        !self.weights[entry as usize].is_nan()
    }

    fn get(&self, word: &str) -> Option<&Entry> {
        self.entry(self.words.entry(word))
    }

    /// Returns an entry by its number, none for 0.
    pub(super) fn entry(&self, number: u32) -> Option<&Entry> {
        self.entries.get(number as usize).filter(|_| number != 0)
    }

    /// Returns the sum of all frequencies.
    pub(super) fn total(&self) -> u64 {
        self.total
    }

    /// Returns the tag of a word by the number of its entry: `x` for one that has none, and for what is no word.
    pub(super) fn tag_of(&self, entry: u32) -> &str {
        let tag = &self.entries[entry as usize].tag;
        tag.as_deref().unwrap_or(UNKNOWN)
    }

    /// Returns the tag of a word: `x` for one that has none, and for what is no word.
    pub(crate) fn tag(&self, word: &str) -> &str {
        self.tag_of(self.words.entry(word))
    }

    /// Returns the words themselves.
    pub(super) fn words(&self) -> &Words {
        &self.words
    }
}

/// Returns the sum of the frequencies in jieba's own dictionary, and its words: those of one frequency and tag together.
fn built_in() -> (
    u64,
    impl Iterator<Item = (Entry, impl Iterator<Item = &'static str>)>,
) {
    let mut lines = BUILT_IN.lines();
    let number = |text: &str| text.parse().expect("a number: a test reads the file");
    let total = lines.next().map_or(0, number);
    let entries = lines.map(move |line| {
        let mut words = line.split(' ');
        let frequency = words.next().map_or(0, number);
        let tag = words.next().map(Into::into);
        (Entry { frequency, tag }, words)
    });
    (total, entries)
}
