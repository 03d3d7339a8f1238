//! Candidate phrases of `'yake'`: n-grams of up to three words.

use hashbrown::HashMap;

use super::terms::{Weights, Word};

/// How many words a phrase has at most.
const LONGEST: usize = 3;
/// What is no word.
const NONE: u32 = u32::MAX;

/// The runs of up to three words between marks, each form once, with how often it occurs.
///
/// A phrase neither begins nor ends with a stop word, and has no number in it.
#[derive(Debug, Default)]
pub(super) struct Candidates<'a> {
    /// All words, as they are written.
    words: Vec<&'a str>,
    /// The last words of the phrase that is under way.
    run: Vec<Word>,
    /// By the forms of their words.
    found: HashMap<[u32; LONGEST], Candidate>,
}

#[derive(Debug)]
struct Candidate {
    count: u32,
    /// The last of its words, where it occurs first.
    last: u32,
}

impl<'a> Candidates<'a> {
    pub(super) fn end_phrase(&mut self) {
        self.run.clear();
    }

    /// Returns the word before.
    pub(super) fn last(&self) -> Option<Word> {
        self.run.last().copied()
    }

    pub(super) fn add(&mut self, text: &'a str, word: Word) {
        if self.run.len() == LONGEST {
            self.run.remove(0);
        }
        self.run.push(word);
        let last = self.words.len() as u32;
        self.words.push(text);
        if !word.is_content {
            return;
        }
        for length in 1..=self.run.len() {
            let words = &self.run[self.run.len() - length..];
            if !words[0].is_plain {
                break;
            }
            if !words[0].is_content {
                continue;
            }
            let mut forms = [NONE; LONGEST];
            for (form, word) in forms.iter_mut().zip(words) {
                *form = word.form;
            }
            let found = self.found.entry(forms);
            found.or_insert(Candidate { count: 0, last }).count += 1;
        }
    }

    /// Returns the phrases as they are first written, and their scores, lowest first, equal ones in the text's order.
    ///
    /// A score is Π S / (K (1 + Σ S)), K being how often the phrase occurs. A stop word inside counts by p, the share of
    /// the word before that it follows times the share of the word behind that it precedes: 2 − p in the product, p − 1
    /// in the sum.
    pub(super) fn scored(self, weights: &Weights<'_>) -> impl Iterator<Item = (String, f64)> {
        let mut found: Vec<_> = self
            .found
            .iter()
            .map(|(forms, candidate)| {
                let length = forms.iter().take_while(|form| **form != NONE).count();
                let mut terms = [0; LONGEST];
                for (term, form) in terms.iter_mut().zip(&forms[..length]) {
                    *term = weights.term(*form);
                }
                let score = score(&terms[..length], candidate.count, weights);
                (score, candidate.last as usize, length)
            })
            .collect();
        found.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then((a.1, a.2).cmp(&(b.1, b.2))));
        found.into_iter().map(move |(score, last, length)| {
            (self.words[last + 1 - length..=last].join(" "), score)
        })
    }
}

fn score(terms: &[u32], count: u32, weights: &Weights<'_>) -> f64 {
    let (mut product, mut sum) = (1.0, 0.0);
    for (at, term) in terms.iter().enumerate() {
        if weights.is_stop_word(*term) {
            let absent = 1.0 - weights.probability(terms[at - 1], *term, terms[at + 1]);
            product *= 1.0 + absent;
            sum -= absent;
        } else {
            product *= weights.score(*term);
            sum += weights.score(*term);
        }
    }
    product / (f64::from(count) * (1.0 + sum))
}
