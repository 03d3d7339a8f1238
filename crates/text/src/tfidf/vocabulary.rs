//! Vocabulary of a corpus: its terms, numbered, with their document frequencies.

use std::error::Error;
use std::fmt;
use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};

use super::counts::DocumentCounts;

/// A number of texts, or a share of them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Share {
    /// So many texts.
    Count(u64),
    /// So much of all texts, from 0 to 1.
    Part(f64),
}

impl Share {
    fn of(self, documents: u64) -> f64 {
        match self {
            Self::Count(count) => count as f64,
            Self::Part(part) => part * documents as f64,
        }
    }
}

/// Limits on the terms of a vocabulary.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// In how many texts a term occurs at least.
    pub min_documents: Share,
    /// In how many at most.
    pub max_documents: Share,
    /// Largest size: the most frequent terms are kept, ties by term.
    pub max_terms: Option<usize>,
    /// Whether a term counts once a text there.
    pub binary: bool,
}

/// Why a corpus has no vocabulary.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum FitError {
    /// No text.
    NoTexts,
    /// No text has a term.
    NoTerms,
    /// The fewest texts of a term are more than the most.
    Crossed {
        /// The fewest.
        min: f64,
        /// The most.
        max: f64,
    },
    /// Every term is too rare or too frequent.
    NoneLeft,
}

impl fmt::Display for FitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoTexts => write!(f, "expected texts, found none"),
            Self::NoTerms => write!(
                f,
                "expected terms in the texts, found none: they are empty, or have stop words alone"
            ),
            Self::Crossed { min, max } => write!(
                f,
                "expected `min_df` to be at most `max_df`, found {min} texts and {max}"
            ),
            Self::NoneLeft => write!(
                f,
                "expected terms between `min_df` and `max_df`, found none"
            ),
        }
    }
}

impl Error for FitError {}

/// Terms in byte order, numbered from 0, and in how many texts each occurs.
#[derive(Debug, Clone)]
pub struct Vocabulary {
    /// The terms, end to end.
    text: String,
    /// Where each term ends.
    ends: Vec<usize>,
    documents_with: Vec<u64>,
    documents: u64,
    /// Terms of a text on average, those that did not stay included.
    mean_length: f64,
    /// The numbers of the terms, by the terms' hashes.
    numbers: HashTable<u32>,
    hasher: DefaultHashBuilder,
}

impl Vocabulary {
    /// Builds a vocabulary of a corpus' terms within limits, as scikit-learn does.
    ///
    /// # Errors
    /// Fails where there are no texts, they have no terms, or the limits leave none.
    pub fn fit(counts: &DocumentCounts, limits: &Limits) -> Result<Self, FitError> {
        let documents = counts.documents();
        if documents == 0 {
            return Err(FitError::NoTexts);
        }
        if counts.iter().len() == 0 {
            return Err(FitError::NoTerms);
        }
        let (min, max) = (
            limits.min_documents.of(documents),
            limits.max_documents.of(documents),
        );
        if max < min {
            return Err(FitError::Crossed { min, max });
        }
        let mut terms: Vec<_> = counts
            .iter()
            .filter(|count| (min..=max).contains(&(count.documents as f64)))
            .collect();
        if terms.is_empty() {
            return Err(FitError::NoneLeft);
        }
        if let Some(most) = limits.max_terms.filter(|most| *most < terms.len()) {
            terms.sort_unstable_by(|a, b| {
                let counted = |count: &super::counts::TermCount<'_>| match limits.binary {
                    true => count.documents,
                    false => count.occurrences,
                };
                counted(b).cmp(&counted(a)).then_with(|| a.term.cmp(b.term))
            });
            terms.truncate(most);
        }
        terms.sort_unstable_by_key(|count| count.term);
        Ok(Self::new(
            terms.iter().map(|count| (count.term, count.documents)),
            documents,
            counts.length() as f64 / documents as f64,
        ))
    }

    /// Takes terms in byte order with the number of texts that each is in, out of so many `documents`.
    pub fn new<'a>(
        terms: impl Iterator<Item = (&'a str, u64)>,
        documents: u64,
        mean_length: f64,
    ) -> Self {
        let mut vocabulary = Self {
            text: String::new(),
            ends: Vec::new(),
            documents_with: Vec::new(),
            documents,
            mean_length,
            numbers: HashTable::new(),
            hasher: DefaultHashBuilder::default(),
        };
        for (term, documents) in terms {
            vocabulary.text.push_str(term);
            vocabulary.ends.push(vocabulary.text.len());
            vocabulary.documents_with.push(documents);
        }
        let Self {
            text,
            ends,
            numbers,
            hasher,
            ..
        } = &mut vocabulary;
        let hash = |number: &u32| hasher.hash_one(term_at(text, ends, *number));
        numbers.reserve(ends.len(), hash);
        for number in 0..ends.len() as u32 {
            numbers.insert_unique(hash(&number), number, hash);
        }
        vocabulary
    }

    /// Returns how many terms there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Tells whether there is no term.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Returns how many texts the corpus had.
    pub fn documents(&self) -> u64 {
        self.documents
    }

    /// Returns how many terms a text of the corpus had on average.
    pub fn mean_length(&self) -> f64 {
        self.mean_length
    }

    /// Returns the number of a term; none for one that is not there.
    #[inline]
    pub fn number(&self, term: &str) -> Option<u32> {
        let same = |number: &u32| term_at(&self.text, &self.ends, *number) == term;
        self.numbers.find(self.hasher.hash_one(term), same).copied()
    }

    /// Returns the term of a number below [`Vocabulary::len`].
    pub fn term(&self, number: u32) -> &str {
        term_at(&self.text, &self.ends, number)
    }

    /// Returns in how many texts of the corpus the term of a number occurs.
    pub fn documents_with(&self, number: u32) -> u64 {
        self.documents_with[number as usize]
    }
}

#[inline]
fn term_at<'a>(text: &'a str, ends: &[usize], number: u32) -> &'a str {
    let at = number as usize;
    let start = if at == 0 { 0 } else { ends[at - 1] };
    &text[start..ends[at]]
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: Limits = Limits {
        min_documents: Share::Count(1),
        max_documents: Share::Part(1.0),
        max_terms: None,
        binary: false,
    };

    fn counts() -> DocumentCounts {
        let mut counts = DocumentCounts::default();
        for document in ["b a b b", "a c", "a c d"] {
            counts.begin();
            document.split(' ').for_each(|term| counts.add(term));
        }
        counts
    }

    fn check(limits: Limits, expected: Result<&[&str], FitError>) {
        let vocabulary = Vocabulary::fit(&counts(), &limits);
        let terms = vocabulary.map(|vocabulary| {
            let terms = (0..vocabulary.len() as u32).map(|number| {
                let term = vocabulary.term(number);
                assert_eq!(vocabulary.number(term), Some(number));
                assert_eq!(vocabulary.number("z"), None);
                term.to_owned()
            });
            terms.collect::<Vec<_>>()
        });
        assert_eq!(
            terms,
            expected.map(|terms| terms.iter().map(|term| (*term).to_owned()).collect())
        );
    }

    #[test]
    fn terms_are_in_byte_order() {
        check(ALL, Ok(&["a", "b", "c", "d"]));
    }

    #[test]
    fn rare_and_frequent_terms_go() {
        let min_documents = Share::Count(2);
        let max_documents = Share::Part(0.7);
        check(
            Limits {
                min_documents,
                ..ALL
            },
            Ok(&["a", "c"]),
        );
        // 0.7 · 3 = 2.1 texts.
        check(
            Limits {
                max_documents,
                ..ALL
            },
            Ok(&["b", "c", "d"]),
        );
        let min_documents = Share::Count(3);
        check(
            Limits {
                min_documents,
                max_documents,
                ..ALL
            },
            Err(FitError::Crossed {
                min: 3.0,
                max: 0.7 * 3.0,
            }),
        );
        let min_documents = Share::Count(4);
        let max_documents = Share::Count(4);
        check(
            Limits {
                min_documents,
                max_documents,
                ..ALL
            },
            Err(FitError::NoneLeft),
        );
    }

    #[test]
    fn the_most_frequent_stay_and_ties_go_by_term() {
        // a and b occur three times, c twice, d once; a is in three texts, c in two, b and d in one.
        check(
            Limits {
                max_terms: Some(1),
                ..ALL
            },
            Ok(&["a"]),
        );
        check(
            Limits {
                max_terms: Some(2),
                ..ALL
            },
            Ok(&["a", "b"]),
        );
        check(
            Limits {
                max_terms: Some(3),
                binary: true,
                ..ALL
            },
            Ok(&["a", "b", "c"]),
        );
    }

    #[test]
    fn a_corpus_without_terms_has_no_vocabulary() {
        let mut empty = DocumentCounts::default();
        assert_eq!(
            Vocabulary::fit(&empty, &ALL).map(|_| ()),
            Err(FitError::NoTexts)
        );
        empty.begin();
        assert_eq!(
            Vocabulary::fit(&empty, &ALL).map(|_| ()),
            Err(FitError::NoTerms)
        );
    }
}
