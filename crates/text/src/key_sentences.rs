//! Extractive summarization: the most central sentences of a text (LexRank).

use std::cmp::Reverse;
use std::num::NonZeroUsize;

use hashbrown::{HashMap, HashSet};
use unicode_segmentation::UnicodeSegmentation;

use super::lower_case::to_lowercase;
use super::sentences::SentenceBounds;
use super::tokenizers::{Span, Tokenizer};

/// Damping: the share of a score that every sentence gets alike.
const DAMPING: f64 = 0.15;
/// Convergence threshold of the power iteration: what all scores together change by.
const STILL: f64 = 1e-9;
/// Most rounds of the power iteration.
const ROUNDS: usize = 200;
/// Scores that agree to so many parts of their mean are equal.
const EQUAL: f64 = 1e6;

/// Cuts out the sentences, at most so many, that are most like the others, in the text's order; of equal ones the first,
/// and no sentence twice.
///
/// Continuous LexRank (Erkan and Radev 2004): the scores are the stationary distribution
/// p(u) = 0.15 / N + 0.85 Σ cosine(u, v) / Σ cosine(z, v) · p(v), over all N sentences v, where `cosine` compares the
/// words' counts times their inverse document frequencies, ln(N / sentences with the word). A sentence all of whose words
/// are in all others counts as like all of them alike. Words are those of UAX #29 in lower case; of what stands alone there,
/// ideographs and hiragana, each two neighbours are a word. A sentence without words is left out.
///
/// The sum over pairs is that over words of what sentences have of them: time and memory grow with the words of the text,
/// not with the pairs of its sentences.
#[derive(Debug)]
pub struct KeySentences(pub NonZeroUsize);

impl Tokenizer for KeySentences {
    fn cut<'a>(&self, text: &'a str, buffer: &'a mut String, spans: &mut Vec<Span>) -> &'a str {
        let mut sentences = Vec::new();
        SentenceBounds.cut(text, buffer, &mut sentences);
        let mut words = Words::default();
        sentences.retain(|sentence| words.add(&text[sentence.range()]));
        let scores = ranked(&words.weighed());
        // Scores that are equal but for what sums lose count as equal.
        let all = scores.len() as f64;
        let rank = |at: &usize| (scores[*at] * all * EQUAL).round() as u64;
        let mut order: Vec<_> = (0..sentences.len()).collect();
        order.sort_by_key(|at| Reverse(rank(at)));
        let mut seen = HashSet::new();
        order.retain(|at| seen.len() < self.0.get() && seen.insert(&text[sentences[*at].range()]));
        order.sort_unstable();
        spans.extend(order.into_iter().map(|at| sentences[at]));
        text
    }
}

/// The words of sentences: which, and how often each.
#[derive(Debug, Default)]
struct Words {
    numbers: HashMap<Box<str>, u32>,
    /// In how many sentences each word is, by number.
    sentences_with: Vec<u32>,
    /// Of each word of each sentence its number and count, a sentence after the other.
    entries: Vec<(u32, f64)>,
    /// Where each sentence ends in the entries.
    ends: Vec<usize>,
    lower: String,
}

impl Words {
    /// Adds a sentence; false where it has no words.
    fn add(&mut self, sentence: &str) -> bool {
        self.lower.clear();
        to_lowercase(sentence, &mut self.lower);
        let lower = std::mem::take(&mut self.lower);
        let start = self.entries.len();
        for_each_word(&lower, |word| {
            let number = self.number(word);
            self.entries.push((number, 1.0));
        });
        self.lower = lower;
        if self.entries.len() == start {
            return false;
        }
        self.entries[start..].sort_unstable_by_key(|entry| entry.0);
        let mut last = start;
        for at in start + 1..self.entries.len() {
            if self.entries[at].0 == self.entries[last].0 {
                self.entries[last].1 += 1.0;
            } else {
                last += 1;
                self.entries[last] = self.entries[at];
            }
        }
        self.entries.truncate(last + 1);
        for (number, _) in &self.entries[start..] {
            self.sentences_with[*number as usize] += 1;
        }
        self.ends.push(self.entries.len());
        true
    }

    fn number(&mut self, word: &str) -> u32 {
        if let Some(number) = self.numbers.get(word) {
            return *number;
        }
        let number = self.sentences_with.len() as u32;
        self.numbers.insert(word.into(), number);
        self.sentences_with.push(0);
        number
    }

    /// Weighs the words of each sentence, so that the product of two sentences is their cosine.
    fn weighed(self) -> Weights {
        let sentences = self.ends.len() as f64;
        let idf: Vec<_> = self
            .sentences_with
            .iter()
            .map(|with| (sentences / f64::from(*with)).ln())
            .collect();
        let mut weights = Weights {
            words: idf.len(),
            entries: self.entries,
            ends: self.ends,
            own: Vec::with_capacity(sentences as usize),
        };
        let (mut start, mut kept) = (0, 0);
        for end in &mut weights.ends {
            let entries = &mut weights.entries[start..*end];
            for (number, count) in entries.iter_mut() {
                *count *= idf[*number as usize];
            }
            let length = entries
                .iter()
                .map(|entry| entry.1 * entry.1)
                .sum::<f64>()
                .sqrt();
            if length > 0.0 {
                entries.iter_mut().for_each(|entry| entry.1 /= length);
            }
            let mut own = 0.0;
            for at in start..*end {
                let (number, weight) = weights.entries[at];
                if self.sentences_with[number as usize] == 1 {
                    own += weight * weight;
                } else {
                    weights.entries[kept] = (number, weight);
                    kept += 1;
                }
            }
            weights.own.push(own);
            start = std::mem::replace(end, kept);
        }
        weights.entries.truncate(kept);
        weights
    }
}

/// One row of weights of words for each sentence, of length 1 or 0, `own` and entries together.
#[derive(Debug)]
struct Weights {
    /// How many words there are.
    words: usize,
    entries: Vec<(u32, f64)>,
    ends: Vec<usize>,
    /// What the words that are in no other sentence add to a sentence's product with itself: most words, which are not
    /// in the entries for that reason.
    own: Vec<f64>,
}

impl Weights {
    fn rows(&self) -> impl Iterator<Item = &[(u32, f64)]> {
        let mut start = 0;
        self.ends.iter().map(move |end| {
            let row = &self.entries[start..*end];
            start = *end;
            row
        })
    }

    /// Sets each of `out` to the sum over all sentences of their cosine with this one, times their value in `of`.
    fn spread(&self, of: &[f64], words: &mut Vec<f64>, out: &mut Vec<f64>) {
        words.clear();
        words.resize(self.words, 0.0);
        for (row, value) in self.rows().zip(of) {
            for (number, weight) in row {
                words[*number as usize] += weight * value;
            }
        }
        out.clear();
        let own = self.own.iter().zip(of).map(|(own, value)| own * value);
        out.extend(self.rows().zip(own).map(|(row, own)| {
            let parts = row
                .iter()
                .map(|(number, weight)| words[*number as usize] * weight);
            own + parts.sum::<f64>()
        }));
    }
}

/// Returns the score of each sentence; together they are 1.
fn ranked(weights: &Weights) -> Vec<f64> {
    let sentences = weights.ends.len();
    let all = sentences as f64;
    let (mut words, mut degrees, mut spread) = (Vec::new(), Vec::new(), Vec::new());
    weights.spread(&vec![1.0; sentences], &mut words, &mut degrees);
    let mut scores = vec![1.0 / all; sentences];
    let mut shares = vec![0.0; sentences];
    for _ in 0..ROUNDS {
        // What those that are like none, not even themselves, give to all.
        let mut alike = 0.0;
        for ((share, score), degree) in shares.iter_mut().zip(&scores).zip(&degrees) {
            *share = if *degree > 0.0 { score / degree } else { 0.0 };
            alike += if *degree > 0.0 { 0.0 } else { *score };
        }
        weights.spread(&shares, &mut words, &mut spread);
        let mut change = 0.0;
        for (score, spread) in scores.iter_mut().zip(&spread) {
            let next = DAMPING / all + (1.0 - DAMPING) * (spread + alike / all);
            change += (next - *score).abs();
            *score = next;
        }
        if change < STILL {
            break;
        }
    }
    scores
}

/// Calls `each` with the words of a sentence.
fn for_each_word(sentence: &str, mut each: impl FnMut(&str)) {
    // Where a run of single characters goes on from: its last one, and whether that is in a word yet.
    let mut before: Option<(usize, usize, bool)> = None;
    for (start, word) in sentence.unicode_word_indices() {
        let end = start + word.len();
        let alone = stands_alone(word);
        match before.take() {
            Some((first, behind, _)) if alone && behind == start => {
                each(&sentence[first..end]);
                before = Some((start, end, true));
                continue;
            }
            Some((first, behind, false)) => each(&sentence[first..behind]),
            _ => {}
        }
        if alone {
            before = Some((start, end, false));
        } else {
            each(word);
        }
    }
    if let Some((first, behind, false)) = before {
        each(&sentence[first..behind]);
    }
}

/// Tells whether a word is one character of a script whose words UAX #29 does not find.
fn stands_alone(word: &str) -> bool {
    let mut characters = word.chars();
    let first = characters.next();
    characters.next().is_none()
        && first.is_some_and(|first| {
            matches!(first,
                '\u{3005}'..='\u{3007}' | '\u{3041}'..='\u{309f}' | '\u{3400}'..='\u{4dbf}'
                | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{323af}')
        })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::tokenizers::tokens;

    fn sentences(text: &str, most: usize) -> Vec<String> {
        tokens(
            &KeySentences(NonZeroUsize::new(most).expect("at least 1")),
            text,
        )
    }

    #[track_caller]
    fn check_words(sentence: &str, expected: &[&str]) {
        let mut words = Vec::new();
        for_each_word(sentence, |word| words.push(word.to_owned()));
        assert_eq!(words, expected, "{sentence:?}");
    }

    #[test]
    fn neighbours_that_stand_alone_are_words() {
        check_words(
            "我来到 rust 北京，好。",
            &["我来", "来到", "rust", "北京", "好"],
        );
        check_words("to be 好", &["to", "be", "好"]);
        check_words("...", &[]);
    }

    #[test]
    fn the_sentence_most_like_the_others_is_key() {
        let text = "Trains were late. Snow fell. The snow made trains late. Bread is baked early.";
        assert_eq!(sentences(text, 1), ["The snow made trains late."]);
        assert_eq!(
            sentences(
                "今天下雪了。火车晚点了。因为下雪，火车晚点。面包很好吃。",
                1
            ),
            ["因为下雪，火车晚点。"]
        );
    }

    #[test]
    fn the_order_is_the_texts_and_no_sentence_comes_twice() {
        assert_eq!(
            sentences("A b. C d. A b.\n***\nE f.", 9),
            ["A b.", "C d.", "E f."]
        );
        assert_eq!(sentences("", 1), [""; 0]);
        assert_eq!(sentences("One sentence", 2), ["One sentence"]);
    }

    /// The definition, pair by pair.
    fn by_pairs(weights: &Weights) -> Vec<f64> {
        let rows: Vec<_> = weights.rows().collect();
        let cosine = |u: usize, v: usize| -> f64 {
            let of = |number| {
                let found = rows[v].iter().find(|entry| entry.0 == number);
                found.map_or(0.0, |entry| entry.1)
            };
            let parts = rows[u].iter().map(|(number, weight)| weight * of(*number));
            parts.sum::<f64>() + if u == v { weights.own[u] } else { 0.0 }
        };
        let all = rows.len() as f64;
        let degree = |v: usize| (0..rows.len()).map(|z| cosine(z, v)).sum::<f64>();
        let degrees: Vec<_> = (0..rows.len()).map(degree).collect();
        let mut scores = vec![1.0 / all; rows.len()];
        for _ in 0..ROUNDS {
            let next = |u: usize| {
                let from = |v: usize| match degrees[v] {
                    0.0 => scores[v] / all,
                    degree => cosine(u, v) / degree * scores[v],
                };
                DAMPING / all + (1.0 - DAMPING) * (0..rows.len()).map(from).sum::<f64>()
            };
            scores = (0..rows.len()).map(next).collect();
        }
        scores
    }

    proptest! {
        #[test]
        fn sums_over_words_are_those_over_pairs(sentences in prop::collection::vec("[a-d]( [a-e]){0,5}", 1..8)) {
            let mut words = Words::default();
            sentences.iter().for_each(|sentence| assert!(words.add(sentence)));
            let weights = words.weighed();
            for (row, own) in weights.rows().zip(&weights.own) {
                let squares = own + row.iter().map(|entry| entry.1 * entry.1).sum::<f64>();
                prop_assert!(squares == 0.0 || (squares - 1.0).abs() < 1e-9, "{squares}");
            }
            for (found, expected) in ranked(&weights).into_iter().zip(by_pairs(&weights)) {
                prop_assert!((found - expected).abs() < 1e-8, "{found}, expected {expected}");
            }
        }

        #[test]
        fn key_sentences_are_sentences_in_order(text in "[a-c .\\n漢字]{0,60}", most in 1_usize..5) {
            let found = sentences(&text, most);
            let mut rest = tokens(&SentenceBounds, &text).into_iter();
            prop_assert!(found.len() <= most);
            prop_assert!(found.iter().all(|sentence| rest.any(|other| other == *sentence)));
        }
    }
}
