//! `'yake'`: Yet Another Keyword Extractor.

mod candidates;
mod sentences;
mod terms;
mod words;

use hashbrown::HashSet;

use self::candidates::Candidates;
use self::sentences::for_each_sentence;
use self::terms::{Kind, Terms};
use self::words::for_each_token;
use super::Extractor;
use crate::likeness::levenshtein_similarity;
use crate::lower_case::to_lowercase;

/// Phrases that are more alike than this are one.
const ALIKE: f64 = 0.9;

/// Scores runs of up to three words by figures of their words, lowest first (Campos, Mangaravite, Pasquali, Jorge, Nunes
/// and Jatowt 2020), as the Python package yake does.
///
/// A word's score is T_rel · T_pos / (T_case + T_norm / T_rel + T_sent / T_rel), a phrase's Π S / (K (1 + Σ S)) with K
/// its frequency; `terms.rs` and `candidates.rs` say what they are. Of two phrases whose Levenshtein similarity is above
/// 0.9 the first is kept, equal scores in the order of the text. Time and memory grow with the words of the text, and time
/// with the phrases that are asked for.
#[derive(Debug)]
pub struct Yake {
    stop_words: HashSet<&'static str>,
}

impl Yake {
    /// Takes the stop words, in lower case.
    pub fn new(stop_words: &[&'static str]) -> Self {
        Self {
            stop_words: stop_words.iter().copied().collect(),
        }
    }

    /// Reads the words of a text and the phrases that they make.
    fn read<'a>(&self, text: &'a str) -> (Terms, Candidates<'a>) {
        let mut terms = Terms::default();
        let mut candidates = Candidates::default();
        for_each_sentence(text, |sentence| {
            terms.begin_sentence();
            candidates.end_phrase();
            let mut at = 0;
            for_each_token(sentence, |token| {
                // What a contraction left.
                if token.len() > 1 && token.starts_with('\'') {
                    return;
                }
                if token.bytes().all(|byte| byte.is_ascii_punctuation()) {
                    candidates.end_phrase();
                } else {
                    let kind = Kind::of(token, at == 0);
                    let word = terms.add(token, kind, &self.stop_words);
                    if let Some(before) = candidates.last()
                        && kind != Kind::Other
                        && before.is_plain
                    {
                        terms.add_pair(before.term, word.term);
                    }
                    candidates.add(token, word);
                }
                at += 1;
            });
        });
        (terms, candidates)
    }
}

impl Extractor for Yake {
    fn extract(&self, text: &str, most: usize, each: &mut dyn FnMut(&str, f64)) {
        let (terms, candidates) = self.read(text);
        let (mut lower, mut kept) = (String::new(), Vec::<(String, usize)>::new());
        for (phrase, score) in candidates.scored(&terms.weigh()) {
            lower.clear();
            to_lowercase(&phrase, &mut lower);
            let length = lower.chars().count();
            let is_like = |(other, others): &(String, usize)| {
                // More code points of one are in none of the other.
                let fewest = length.min(*others) as f64;
                let greatest = length.max(*others) as f64;
                fewest / greatest >= ALIKE && levenshtein_similarity(&lower, other) > ALIKE
            };
            if kept.iter().any(is_like) {
                continue;
            }
            each(&phrase, score);
            kept.push((lower.clone(), length));
            if kept.len() == most {
                break;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::extracted;
    use super::*;

    #[track_caller]
    fn check(text: &str, most: usize, expected: &[(&str, f64)]) {
        let yake = Yake::new(&["the", "of", "and", "keep"]);
        let found = extracted(&yake, text, most);
        assert_eq!(found.len(), expected.len(), "{found:?}");
        for (found, expected) in found.iter().zip(expected) {
            assert_eq!(found.0, expected.0, "{text:?}");
            let error = (found.1 - expected.1).abs();
            assert!(error < 1e-9, "{found:?}, expected {expected:?}");
        }
    }

    #[test]
    fn scores_are_the_papers() {
        // T_pos = ln ln 3; T_rel 1, no neighbours; T_norm and T_sent 1: S = T_pos / 2.
        let position = 3_f64.ln().ln();
        let alone = position / 2.0;
        check("alpha", 5, &[("alpha", alone / (1.0 + alone))]);
        // One neighbour, twice: T_rel 1 + 1 / 2.
        let twice = 1.5 * 1.5 * position / 2.0;
        check(
            "alpha beta, alpha beta",
            1,
            &[("alpha beta", twice * twice / (2.0 * (1.0 + 2.0 * twice)))],
        );
        // A capital that begins no sentence: T_case 1.
        check("the Alpha", 1, &[("Alpha", position / (1.0 + position))]);
    }

    #[test]
    fn a_stop_word_inside_counts_by_its_neighbours() {
        let once = 4.0 * 3_f64.ln().ln() / 2.0;
        // Always between the two: their probability is 1.
        check(
            "alpha of beta",
            1,
            &[("alpha of beta", once * once / (1.0 + 2.0 * once))],
        );
    }

    #[test]
    fn stop_words_short_words_and_numbers_are_none() {
        for text in ["", " ", "the of", "ab 12 a1b2 3.5 keeps", "\u{2460}"] {
            check(text, 5, &[]);
        }
    }

    #[test]
    fn phrases_alike_are_found_once() {
        let found = extracted(&Yake::new(&[]), "transactions, transaction, boat, boats", 9);
        let mut terms: Vec<_> = found.iter().map(|(term, _)| term.as_str()).collect();
        terms.sort_unstable();
        assert_eq!(terms, ["boat", "boats", "transactions"]);
    }
}
