//! Fitted vectorizer: terms of a text in, weights out.

use super::analyzer::{Analyzer, Buffers};
use super::bm25::{Bm25, Query};
use super::vocabulary::Vocabulary;
use super::weights::Formula;

/// Makes vectors over a vocabulary.
#[derive(Debug, Clone)]
pub struct Vectorizer {
    analyzer: Analyzer,
    vocabulary: Vocabulary,
    formula: Formula,
    /// Whether a term counts once a text.
    binary: bool,
    bm25: Bm25,
    /// The factor of each term that depends on the corpus.
    idf: Vec<f64>,
}

/// Counted terms of one text: a buffer that is reused from text to text.
#[derive(Debug, Default)]
pub struct Counted {
    buffers: Buffers,
    /// The numbers of the known terms, in the order of the text or sorted.
    numbers: Vec<u32>,
    /// How many terms the text has, unknown ones included.
    length: u64,
    /// Numbers of terms, ascending, with their counts or weights.
    pub entries: Vec<(u32, f64)>,
}

impl Vectorizer {
    /// Returns a vectorizer by these rules.
    pub fn new(
        analyzer: Analyzer,
        vocabulary: Vocabulary,
        formula: Formula,
        binary: bool,
        bm25: Bm25,
    ) -> Self {
        let documents = vocabulary.documents();
        let idf = (0..vocabulary.len() as u32)
            .map(|number| formula.idf(documents, vocabulary.documents_with(number)))
            .collect();
        Self {
            analyzer,
            vocabulary,
            formula,
            binary,
            bm25,
            idf,
        }
    }

    /// Returns the terms.
    pub fn vocabulary(&self) -> &Vocabulary {
        &self.vocabulary
    }

    /// Returns the inverse document frequency factor of a term.
    pub fn idf(&self, number: u32) -> f64 {
        self.idf[number as usize]
    }

    /// Reads the terms of a text.
    pub fn read_text(&self, text: &str, counted: &mut Counted) {
        let Counted {
            buffers,
            numbers,
            length,
            ..
        } = counted;
        numbers.clear();
        *length = 0;
        self.analyzer.terms_of_text(text, buffers, |term| {
            *length += 1;
            numbers.extend(self.vocabulary.number(term));
        });
    }

    /// Reads the terms of a text that is cut already.
    pub fn read_tokens<'a>(&self, tokens: impl Iterator<Item = &'a str>, counted: &mut Counted) {
        let Counted {
            buffers,
            numbers,
            length,
            ..
        } = counted;
        numbers.clear();
        *length = 0;
        self.analyzer.terms_of_tokens(tokens, buffers, |term| {
            *length += 1;
            numbers.extend(self.vocabulary.number(term));
        });
    }

    /// Counts the terms that were read, into the entries.
    pub fn count(&self, counted: &mut Counted) {
        let Counted {
            numbers, entries, ..
        } = counted;
        numbers.sort_unstable();
        entries.clear();
        entries.extend(numbers.chunk_by(|a, b| a == b).map(|equal| {
            let count = if self.binary { 1 } else { equal.len() };
            (equal[0], count as f64)
        }));
    }

    /// Weighs the terms that were read, into the entries.
    pub fn weigh(&self, counted: &mut Counted) {
        self.count(counted);
        let Counted {
            entries, length, ..
        } = counted;
        self.formula.weigh(entries, &self.idf, *length);
    }

    /// Takes the terms that were read for a query.
    pub fn query(&self, counted: &mut Counted) -> Query {
        counted.numbers.sort_unstable();
        Query::new(&counted.numbers, &self.vocabulary)
    }

    /// Returns how well the terms that were read answer a query.
    pub fn score(&self, query: &mut Query, counted: &Counted) -> f64 {
        let mean_length = self.vocabulary.mean_length();
        query.score(&counted.numbers, counted.length, self.bm25, mean_length)
    }
}
