//! Features and scores of single words in `'yake'`.

use hashbrown::{HashMap, HashSet};
use icu_properties::CodePointMapData;
use icu_properties::props::GeneralCategory;

use crate::lower_case::to_lowercase;

/// Fewer characters than this are a stop word.
const SHORT: usize = 3;

/// What a word looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Upper case all through, but for what has no case.
    Acronym,
    /// With a capital, and not the first of its sentence.
    Name,
    /// A word like others.
    Plain,
    /// A number, or what has letters and digits, neither, or more than one mark: in no phrase.
    Other,
}

impl Kind {
    pub(super) fn of(word: &str, is_first: bool) -> Self {
        let (mut digits, mut letters, mut marks, mut capitals) = (0, 0, 0, 0);
        let mut is_lower = false;
        for character in word.chars() {
            digits += usize::from(is_digit(character));
            letters += usize::from(is_letter(character));
            marks += usize::from(character.is_ascii_punctuation());
            capitals += usize::from(character.is_uppercase());
            is_lower |= character.is_lowercase();
        }
        if (digits > 0) == (letters > 0) || marks > 1 || letters == 0 && is_number(word) {
            Self::Other
        } else if capitals > 0 && !is_lower {
            Self::Acronym
        } else if capitals == 1 && !is_first && word.starts_with(char::is_uppercase) {
            Self::Name
        } else {
            Self::Plain
        }
    }
}

/// A word of a phrase.
#[derive(Debug, Clone, Copy)]
pub(super) struct Word {
    /// The number of the word in lower case.
    pub(super) form: u32,
    /// The number of the term, which a plural shares.
    pub(super) term: u32,
    /// Whether it may begin and end a phrase.
    pub(super) is_content: bool,
    /// Whether it may be in a phrase.
    pub(super) is_plain: bool,
}

/// Counts of the terms of a text: words in lower case, a final «s» of those of four or more characters left out.
#[derive(Debug, Default)]
pub(super) struct Terms {
    forms: HashMap<Box<str>, u32>,
    numbers: HashMap<Box<str>, u32>,
    /// The term of each form.
    of_forms: Vec<u32>,
    terms: Vec<Term>,
    /// How often the second follows the first.
    pairs: HashMap<(u32, u32), u32>,
    sentences: u32,
    lower: String,
}

#[derive(Debug)]
struct Term {
    frequency: u32,
    acronyms: u32,
    names: u32,
    /// The numbers of the sentences that it is in.
    sentences: Vec<u32>,
    is_stop_word: bool,
}

impl Terms {
    pub(super) fn begin_sentence(&mut self) {
        self.sentences += 1;
    }

    pub(super) fn add(&mut self, word: &str, kind: Kind, stop_words: &HashSet<&str>) -> Word {
        self.lower.clear();
        to_lowercase(word, &mut self.lower);
        let form = match self.forms.get(&*self.lower) {
            Some(form) => *form,
            None => self.add_form(stop_words),
        };
        let number = self.of_forms[form as usize];
        let term = &mut self.terms[number as usize];
        term.frequency += 1;
        term.acronyms += u32::from(kind == Kind::Acronym);
        term.names += u32::from(kind == Kind::Name);
        let sentence = self.sentences - 1;
        if term.sentences.last() != Some(&sentence) {
            term.sentences.push(sentence);
        }
        Word {
            form,
            term: number,
            is_content: !term.is_stop_word,
            is_plain: kind != Kind::Other,
        }
    }

    /// Numbers the form in `lower`, and its term where that is new; the first form of one says whether it is a stop word.
    fn add_form(&mut self, stop_words: &HashSet<&str>) -> u32 {
        let lower = &*self.lower;
        let key = match lower.strip_suffix('s') {
            Some(stem) if lower.chars().nth(SHORT).is_some() => stem,
            _ => lower,
        };
        let number = match self.numbers.get(key) {
            Some(number) => *number,
            None => {
                let number = self.terms.len() as u32;
                self.numbers.insert(key.into(), number);
                let letters = lower
                    .chars()
                    .filter(|letter| !letter.is_ascii_punctuation());
                self.terms.push(Term {
                    frequency: 0,
                    acronyms: 0,
                    names: 0,
                    sentences: Vec::new(),
                    is_stop_word: letters.count() < SHORT
                        || stop_words.contains(lower)
                        || stop_words.contains(key),
                });
                number
            }
        };
        let form = self.of_forms.len() as u32;
        self.forms.insert(lower.into(), form);
        self.of_forms.push(number);
        form
    }

    pub(super) fn add_pair(&mut self, first: u32, second: u32) {
        *self.pairs.entry((first, second)).or_default() += 1;
    }

    /// Scores every term: lower is better.
    ///
    /// T_case = max(acronyms, names) / (1 + ln TF); T_pos = ln ln(3 + median of the sentences' numbers, from 0);
    /// T_norm = TF / (mean + standard deviation of TF of the words that are no stop words); T_sent = sentences with it /
    /// sentences; T_rel = 1 + (DL + DR) TF / greatest TF, DL and DR being different neighbours / neighbours on a side.
    pub(super) fn weigh(&self) -> Weights<'_> {
        let frequencies = || self.terms.iter().filter(|term| !term.is_stop_word);
        let frequencies = || frequencies().map(|term| f64::from(term.frequency));
        let count = frequencies().count() as f64;
        let mean = frequencies().sum::<f64>() / count;
        let variance = frequencies().map(|frequency| (frequency - mean).powi(2));
        let usual = mean + (variance.sum::<f64>() / count).sqrt();
        let greatest = self.terms.iter().map(|term| term.frequency).max();
        let greatest = f64::from(greatest.unwrap_or(1));
        // Of each term: different neighbours and all, on the left and on the right.
        let mut sides = vec![[(0_u32, 0_u32); 2]; self.terms.len()];
        for ((first, second), count) in &self.pairs {
            for (term, side) in [(second, 0), (first, 1)] {
                let (different, all) = &mut sides[*term as usize][side];
                *different += 1;
                *all += count;
            }
        }
        let score = |(term, sides): (&Term, &[(u32, u32); 2])| {
            let frequency = f64::from(term.frequency);
            let spread = |(different, all): (u32, u32)| match all {
                0 => 0.0,
                all => f64::from(different) / f64::from(all),
            };
            let related = 1.0 + (spread(sides[0]) + spread(sides[1])) * frequency / greatest;
            let position = (3.0 + median(&term.sentences)).ln().ln();
            let case = f64::from(term.acronyms.max(term.names)) / (1.0 + frequency.ln());
            let sentences = term.sentences.len() as f64 / f64::from(self.sentences);
            related * position / (case + frequency / usual / related + sentences / related)
        };
        Weights {
            terms: self,
            scores: self.terms.iter().zip(&sides).map(score).collect(),
        }
    }
}

/// The scores of terms.
#[derive(Debug)]
pub(super) struct Weights<'a> {
    terms: &'a Terms,
    scores: Vec<f64>,
}

impl Weights<'_> {
    pub(super) fn term(&self, form: u32) -> u32 {
        self.terms.of_forms[form as usize]
    }

    pub(super) fn score(&self, term: u32) -> f64 {
        self.scores[term as usize]
    }

    pub(super) fn is_stop_word(&self, term: u32) -> bool {
        self.terms.terms[term as usize].is_stop_word
    }

    /// How probable it is that a term stands between two others, by either.
    pub(super) fn probability(&self, before: u32, term: u32, behind: u32) -> f64 {
        let pairs = |pair| f64::from(self.terms.pairs.get(&pair).copied().unwrap_or(0));
        let frequency = |term: u32| f64::from(self.terms.terms[term as usize].frequency);
        pairs((before, term)) / frequency(before) * (pairs((term, behind)) / frequency(behind))
    }
}

fn median(numbers: &[u32]) -> f64 {
    let middle = numbers.len() / 2;
    let at = |at: usize| numbers.get(at).copied().map_or(0.0, f64::from);
    if numbers.len() % 2 == 1 {
        at(middle)
    } else {
        (at(middle.saturating_sub(1)) + at(middle)) / 2.0
    }
}

fn category(character: char) -> GeneralCategory {
    CodePointMapData::<GeneralCategory>::new().get(character)
}

fn is_digit(character: char) -> bool {
    character.is_ascii_digit()
        || !character.is_ascii() && category(character) == GeneralCategory::DecimalNumber
}

fn is_letter(character: char) -> bool {
    character.is_ascii_alphabetic()
        || !character.is_ascii()
            && matches!(
                category(character),
                GeneralCategory::LowercaseLetter
                    | GeneralCategory::ModifierLetter
                    | GeneralCategory::OtherLetter
                    | GeneralCategory::TitlecaseLetter
                    | GeneralCategory::UppercaseLetter
            )
}

/// Tells whether digits and marks are a number, commas left out.
fn is_number(word: &str) -> bool {
    let digits = word.chars().filter(|character| *character != ',');
    let digits: String = digits
        .map(|digit| if is_digit(digit) { '0' } else { digit })
        .collect();
    digits.parse::<f64>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_told_by_their_looks() {
        for (word, kind) in [
            ("word", Kind::Plain),
            ("Word", Kind::Name),
            ("WORD", Kind::Acronym),
            ("X-RAY’S", Kind::Acronym),
            ("漢A", Kind::Acronym),
            ("wOrd", Kind::Plain),
            ("naïve", Kind::Plain),
            ("it's", Kind::Plain),
            ("漢字", Kind::Plain),
            ("12", Kind::Other),
            ("1,234.5", Kind::Other),
            ("１２３", Kind::Other),
            ("12:30", Kind::Plain),
            ("a1", Kind::Other),
            ("U.S.", Kind::Other),
            ("“", Kind::Other),
        ] {
            assert_eq!(Kind::of(word, false), kind, "{word}");
        }
        assert_eq!(Kind::of("Word", true), Kind::Plain);
    }

    #[test]
    fn the_median_is_the_middle() {
        assert_eq!(median(&[1, 2, 9]), 2.0);
        assert_eq!(median(&[1, 2, 4, 9]), 3.0);
    }
}
