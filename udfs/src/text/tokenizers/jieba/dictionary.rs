//! The words that jieba cuts by.

use std::collections::{HashMap, HashSet};
use std::num::NonZeroU32;
use std::ops::Range;
use std::sync::{Arc, LazyLock};

use include_flate::flate;

use super::is_between_blocks;
use super::words::{TooManyWords, Words};

/// The tag of what nobody knows.
const UNKNOWN: &str = "x";

/// The longest part of a text that is cut at once, in bytes.
const PART: usize = 1 << 20;

flate!(static BUILT_IN: str from "src/text/tokenizers/jieba/words.txt" with zstd);

/// A word of the user's: its frequency and its tag, where they are given.
pub type Word<'a> = (&'a str, Option<usize>, Option<&'a str>);

/// What a word is beside its characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Entry {
    frequency: u64,
    tag: Option<Box<str>>,
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
    /// Words of frequency 0: never joined, not by the hidden Markov model either.
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
    /// apart. Without a tag it has the one that it had. Empty words are left out. All words are put together anew, which
    /// takes a tenth of a second with jieba's own.
    pub fn with<'a>(
        &self,
        words: impl IntoIterator<Item = Word<'a>>,
    ) -> Result<Self, TooManyWords> {
        let (mut users, mut split) = (self.users.clone(), self.split.clone());
        let (mut total, mut longest) = (self.total, self.longest);
        for (word, frequency, tag) in words {
            if word.is_empty() {
                continue;
            }
            let known = users.get(word).or_else(|| self.get(word));
            let tag = tag.map(Into::into);
            let tag = tag.or_else(|| known.and_then(|known| known.tag.clone()));
            let frequency = match frequency {
                Some(frequency) => frequency as u64,
                None => suggested(word, total, longest, |word| {
                    let known = users.get(word).or_else(|| self.get(word));
                    known.map(|known| known.frequency)
                }),
            };
            if frequency == 0 {
                split.insert(word.into());
            } else {
                split.remove(word);
            }
            total = total.saturating_add(frequency);
            longest = longest.max(word.chars().count());
            users.insert(word.into(), Entry { frequency, tag });
        }
        Self::try_new(total, self.has_built_in, users, split)
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
        let starts = text[..place].char_indices().rev().map(|(at, _)| at);
        let ends = || {
            let behind = text[place..]
                .char_indices()
                .skip(1)
                .map(|(at, _)| place + at);
            behind.chain([text.len()]).take(self.longest)
        };
        let mut starts = starts.take(self.longest);
        starts.any(|start| ends().any(|end| self.has_word(&text[start..end])))
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
        match self.words.entry(word) {
            0 => None,
            entry => Some(&self.entries[entry as usize]),
        }
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

/// Returns the least frequency that keeps a word in one piece, as jieba's `suggest_freq` does without `tune`; no known word has
/// more than `longest` characters.
fn suggested(
    word: &str,
    total: u64,
    longest: usize,
    frequency: impl Fn(&str) -> Option<u64>,
) -> u64 {
    let mut starts: Vec<usize> = word.char_indices().map(|(at, _)| at).collect();
    let characters = starts.len();
    starts.push(word.len());
    let all = total as f64;
    // The way from each character to the end: how probable, and where the first word of it ends.
    let mut ways = vec![(0.0, characters); characters + 1];
    for at in (0..characters).rev() {
        let mut best = None;
        for end in at + 1..=characters.min(at + longest) {
            if let Some(found) = frequency(&word[starts[at]..starts[end]])
                && found > 0
            {
                let score = (found as f64).ln() - all.ln() + ways[end].0;
                if best.is_none_or(|(best, _)| score >= best) {
                    best = Some((score, end));
                }
            }
        }
        ways[at] = best.unwrap_or((0.0 - all.ln() + ways[at + 1].0, at + 1));
    }
    let is_letter = |at: usize, end: usize| {
        end == at + 1 && word.as_bytes()[starts[at]].is_ascii_alphanumeric()
    };
    let (mut share, mut at) = (1.0, 0);
    while at < characters {
        let mut end = ways[at].1;
        if is_letter(at, end) {
            // Letters and digits that are no words stay together.
            while end < characters && is_letter(end, ways[end].1) {
                end += 1;
            }
        }
        let piece = &word[starts[at]..starts[end]];
        share *= frequency(piece).unwrap_or(1) as f64 / all;
        at = end;
    }
    let least = (share * all) as u64 + 1;
    least.max(frequency(word).unwrap_or(1))
}
