//! Which words are frequent.

use datasketches::frequencies::{ErrorType, FrequentItemsSketch};
use datasketches::hll::{HllSketch, HllType, HllUnion};
use hashbrown::{HashMap, HashTable};
use lexstream_text::keys::text_of;
use lexstream_text::stop_words::{StopWords, stop_words};

use super::tokens::Token;

/// How many words are told of.
const TOLD: usize = 30;

/// The words that the sketch has room for; three quarters of it are counted exactly before any estimate.
const ROOM: usize = 1 << 16;

/// 2^12 registers: a standard error of 1.6 %.
const REGISTERS: u8 = 12;

/// The words that are counted before the sketches hear of them.
const WAITING: usize = 1 << 14;

/// Longer tokens are no words.
const LONGEST: usize = 100;

/// A frequent word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// The word, in lower case.
    pub word: String,
    /// How often it comes at least.
    pub at_least: u64,
    /// How often it comes at most.
    pub at_most: u64,
}

/// The frequent words of a corpus, stop words left out.
#[derive(Debug)]
pub struct Words {
    /// At most 30, the most frequent first, ties by word.
    pub frequent: Vec<Word>,
    /// How many different words there are, stop words among them: HyperLogLog's estimate, whose standard error is 1.6 %.
    pub distinct: u64,
    /// Whether every word was counted, so that nothing here but `distinct` is an estimate.
    pub are_exact: bool,
}

/// Counts words.
pub(super) struct WordCounter {
    /// Those of late, so that most words are looked up in small tables: short ones as numbers, with their hashes.
    waiting: HashTable<(u128, u64, u64)>,
    waiting_long: HashMap<String, u64>,
    frequent: FrequentItemsSketch<String>,
    distinct: HllSketch,
}

impl WordCounter {
    pub(super) fn new() -> Self {
        Self {
            waiting: HashTable::with_capacity(WAITING),
            waiting_long: HashMap::new(),
            frequent: FrequentItemsSketch::new(ROOM).expect("a power of two"),
            distinct: HllSketch::new(REGISTERS, HllType::Hll8).expect("from 4 to 21"),
        }
    }

    /// Counts a token in lower case, if it is a word: something with a letter in it.
    pub(super) fn add(&mut self, token: Token<'_>) {
        let Token { text, short, hash } = token;
        let count = match short {
            Some(short) => self
                .waiting
                .find_mut(hash, |(other, ..)| *other == short)
                .map(|(.., count)| count),
            None => self.waiting_long.get_mut(text),
        };
        if let Some(count) = count {
            *count += 1;
            return;
        }
        if text.len() > LONGEST || !text.chars().any(char::is_alphabetic) {
            return;
        }
        if self.waiting.len() + self.waiting_long.len() == WAITING {
            self.tell();
        }
        match short {
            Some(short) => {
                let entry = (short, hash, 1);
                self.waiting
                    .insert_unique(hash, entry, |(_, hash, _)| *hash);
            }
            None => {
                self.waiting_long.insert(text.to_owned(), 1);
            }
        }
    }

    fn tell(&mut self) {
        let mut tell = |word: String, count| {
            self.distinct.update(word.as_str());
            self.frequent.update_with_count(word, count);
        };
        for (short, _, count) in self.waiting.drain() {
            tell(text_of(short, &mut [0; 16]).to_owned(), count);
        }
        for (word, count) in self.waiting_long.drain() {
            tell(word, count);
        }
    }

    pub(super) fn merge(&mut self, mut other: Self) {
        self.tell();
        other.tell();
        self.frequent.merge(&other.frequent);
        let mut both = HllUnion::new(REGISTERS).expect("from 4 to 21");
        both.update(&self.distinct);
        both.update(&other.distinct);
        self.distinct = both.to_sketch(HllType::Hll8);
    }

    /// Returns the words that are frequent and no stop words of these languages.
    pub(super) fn finish<'a>(mut self, languages: impl Iterator<Item = &'a str>) -> Words {
        self.tell();
        let stop = languages.filter_map(stop_words).flatten().copied();
        let stop = StopWords::new(stop);
        let rows = self.frequent.frequent_items(ErrorType::NoFalseNegatives);
        let words = rows.iter().filter(|row| !stop.contains(row.item()));
        let mut frequent: Vec<_> = words
            .map(|row| Word {
                word: row.item().clone(),
                at_least: row.lower_bound(),
                at_most: row.upper_bound(),
            })
            .collect();
        frequent.sort_by(|a, b| (b.at_most, &a.word).cmp(&(a.at_most, &b.word)));
        frequent.truncate(TOLD);
        Words {
            frequent,
            distinct: self.distinct.estimate().round() as u64,
            are_exact: self.frequent.maximum_error() == 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(counter: &mut WordCounter, token: &str) {
        counter.add(Token::of(token, 0..token.len()));
    }

    #[test]
    fn stop_words_numbers_and_signs_are_left_out() {
        let mut counter = WordCounter::new();
        for token in "the cat and the dog and 12 cats ! a dog in den zwinger".split(' ') {
            add(&mut counter, token);
        }
        let words = counter.finish(["en", "de", "xx"].into_iter());
        let found: Vec<_> = words
            .frequent
            .iter()
            .map(|word| (&*word.word, word.at_least))
            .collect();
        assert_eq!(found, [("dog", 2), ("cat", 1), ("cats", 1), ("zwinger", 1)]);
        assert!(words.are_exact);
        assert_eq!(words.distinct, 9);
    }

    #[test]
    fn the_frequent_ones_of_more_words_than_fit_are_found_within_the_bounds() {
        let mut counters = [WordCounter::new(), WordCounter::new()];
        for number in 0..200_000_u32 {
            add(&mut counters[number as usize % 2], &format!("w{number}"));
            let often = format!("often{}", number % 10);
            add(&mut counters[number as usize % 3 % 2], &often);
        }
        let [mut first, second] = counters;
        first.merge(second);
        let words = first.finish(std::iter::empty());
        assert!(!words.are_exact);
        for word in &words.frequent[..10] {
            assert!(word.word.starts_with("often"), "{word:?}");
            assert!((word.at_least..=word.at_most).contains(&20_000), "{word:?}");
        }
        assert!(
            (195_000..205_000).contains(&words.distinct),
            "{}",
            words.distinct
        );
    }
}
