//! `'rake'`: Rapid Automatic Keyword Extraction.

use hashbrown::{HashMap, HashSet};
use icu_properties::CodePointMapData;
use icu_properties::props::{GeneralCategory, GeneralCategoryGroup};

use super::{Extractor, best};
use crate::lower_case::to_lowercase;
use crate::tokenizers::Span;
use crate::white_space::is_space;

/// Finds the runs of words between stop words and punctuation, and scores each with the sum of its words' degree by
/// frequency (Rose, Engel, Cramer and Cowley 2010), as the Python package rake-nltk does.
///
/// Words are runs of letters, digits, marks and `_`, in lower case. A word's frequency is how often it occurs in such
/// runs, its degree how many words those have in all, itself among them. A phrase ends with its line, too; one that
/// occurs again is found once. Memory is for the words of one text.
#[derive(Debug)]
pub struct Rake {
    stop_words: HashSet<&'static str>,
}

impl Rake {
    /// Takes the stop words, in lower case.
    pub fn new(stop_words: &[&'static str]) -> Self {
        Self {
            stop_words: stop_words.iter().copied().collect(),
        }
    }

    /// Writes the words of all phrases into `words`, a space behind each, and returns where the phrases lie.
    fn phrases(&self, text: &str, words: &mut String) -> Vec<Span> {
        let (mut phrases, mut start) = (Vec::new(), 0);
        for piece in Pieces(text) {
            let end = words.len();
            match piece {
                Piece::Word(word) => {
                    to_lowercase(word, words);
                    if !self.stop_words.contains(&words[end..]) {
                        words.push(' ');
                        continue;
                    }
                    words.truncate(end);
                }
                Piece::Space => continue,
                Piece::Boundary => {}
            }
            if start < end {
                phrases.push(Span::new(start, end - 1 - start));
            }
            start = end;
        }
        if start < words.len() {
            phrases.push(Span::new(start, words.len() - 1 - start));
        }
        phrases
    }
}

impl Extractor for Rake {
    fn extract(&self, text: &str, most: usize, each: &mut dyn FnMut(&str, f64)) {
        let mut words = String::with_capacity(text.len());
        let phrases = self.phrases(text, &mut words);
        let phrases = || phrases.iter().map(|phrase| &words[phrase.range()]);
        // Of each word: its frequency and its degree.
        let mut counts = HashMap::<&str, (u64, u64)>::new();
        for phrase in phrases() {
            let length = phrase.split(' ').count() as u64;
            for word in phrase.split(' ') {
                let (frequency, degree) = counts.entry(word).or_default();
                *frequency += 1;
                *degree += length;
            }
        }
        let score = |word| {
            let (frequency, degree) = counts[word];
            degree as f64 / frequency as f64
        };
        let distinct: HashSet<&str> = phrases().collect();
        let found = distinct
            .into_iter()
            .map(|phrase| (phrase, phrase.split(' ').map(score).sum()))
            .collect();
        best(found, most, each);
    }
}

enum Piece<'a> {
    Word(&'a str),
    /// White space that ends no line.
    Space,
    /// A character that ends a phrase.
    Boundary,
}

/// The pieces of a text, in order.
struct Pieces<'a>(&'a str);

impl<'a> Iterator for Pieces<'a> {
    type Item = Piece<'a>;

    fn next(&mut self) -> Option<Piece<'a>> {
        let first = self.0.chars().next()?;
        if is_word(first) {
            let end = self.0.find(|character| !is_word(character));
            let (word, rest) = self.0.split_at(end.unwrap_or(self.0.len()));
            self.0 = rest;
            return Some(Piece::Word(word));
        }
        self.0 = &self.0[first.len_utf8()..];
        let ends_line = matches!(first, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}');
        Some(if is_space(first) && !ends_line {
            Piece::Space
        } else {
            Piece::Boundary
        })
    }
}

fn is_word(character: char) -> bool {
    if character.is_ascii() {
        return character.is_ascii_alphanumeric() || character == '_';
    }
    const WORD: GeneralCategoryGroup = GeneralCategoryGroup::Letter
        .union(GeneralCategoryGroup::Number)
        .union(GeneralCategoryGroup::Mark);
    WORD.contains(CodePointMapData::<GeneralCategory>::new().get(character))
}

#[cfg(test)]
mod tests {
    use super::super::extracted;
    use super::*;

    fn check(text: &str, expected: &[(&str, f64)]) {
        let rake = Rake::new(&["of", "the", "and", "a", "is", "ist", "der"]);
        let expected: Vec<_> = expected
            .iter()
            .map(|(term, score)| ((*term).to_owned(), *score))
            .collect();
        assert_eq!(extracted(&rake, text, 10), expected, "{text:?}");
    }

    #[test]
    fn a_phrase_scores_the_sum_of_degree_by_frequency() {
        // linear: in phrases of 2 and 3 words, 5 / 2; systems 2 / 1; equations 3 / 1 …
        check(
            "Linear systems, and linear diophantine equations",
            &[
                ("linear diophantine equations", 8.5),
                ("linear systems", 4.5),
            ],
        );
        // a twice in one phrase of 2 words: degree 4, frequency 2.
        check("x x", &[("x x", 4.0)]);
    }

    #[test]
    fn stop_words_punctuation_and_lines_end_a_phrase() {
        check(
            "State-of-THE-art\nred  tea.Green",
            &[
                ("red tea", 4.0),
                ("art", 1.0),
                ("green", 1.0),
                ("state", 1.0),
            ],
        );
    }

    #[test]
    fn equal_phrases_are_found_once_and_ties_go_by_term() {
        check("b, c, B; d", &[("b", 1.0), ("c", 1.0), ("d", 1.0)]);
    }

    #[test]
    fn marks_belong_to_their_word() {
        check("Cafe\u{301} हिन्दी", &[("cafe\u{301} हिन्दी", 4.0)]);
    }

    #[test]
    fn a_text_of_stop_words_has_none() {
        check("", &[]);
        check("The of, and!", &[]);
    }
}
