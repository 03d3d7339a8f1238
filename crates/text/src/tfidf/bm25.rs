//! BM25: how well a text answers a query.

use super::vocabulary::Vocabulary;

/// The two constants of BM25 (Robertson, Zaragoza 2009).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bm25 {
    /// Term frequency saturation: the higher, the more do further occurrences of a term add.
    pub k1: f64,
    /// Length normalization, from 0 (none) to 1 (full).
    pub b: f64,
}

/// The terms of a query that are in a vocabulary.
#[derive(Debug, Clone, Default)]
pub struct Query {
    /// Number, weight and, of the text at hand, occurrences of each term.
    terms: Vec<(u32, f64, u64)>,
}

impl Query {
    /// Takes the numbers of a query's terms, in order, each as often as the query says it.
    ///
    /// A term weighs idf = ln(1 + (N − df + 0.5) / (df + 0.5)) each time, which is never negative (Lucene's).
    pub fn new(numbers: &[u32], vocabulary: &Vocabulary) -> Self {
        let groups = numbers.chunk_by(|a, b| a == b);
        let terms = groups.map(|equal| {
            let documents = vocabulary.documents() as f64;
            let with = vocabulary.documents_with(equal[0]) as f64;
            let idf = (1.0 + (documents - with + 0.5) / (with + 0.5)).ln();
            (equal[0], idf * equal.len() as f64, 0)
        });
        Self {
            terms: terms.collect(),
        }
    }

    /// Returns the score of a text by the numbers of its terms, of which it has `length`, unknown ones included.
    ///
    /// It is Σ idf · tf (k1 + 1) / (tf + k1 (1 − b + b · length / mean length)) over the query's terms.
    pub fn score(&mut self, numbers: &[u32], length: u64, bm25: Bm25, mean_length: f64) -> f64 {
        for (_, _, count) in &mut self.terms {
            *count = 0;
        }
        for number in numbers {
            if let Ok(at) = self.terms.binary_search_by_key(number, |term| term.0) {
                self.terms[at].2 += 1;
            }
        }
        let Bm25 { k1, b } = bm25;
        let rest = k1 * (1.0 - b + b * length as f64 / mean_length);
        let found = self.terms.iter().filter(|(_, _, count)| *count > 0);
        found.fold(0.0, |score, (_, idf, count)| {
            let count = *count as f64;
            score + idf * count * (k1 + 1.0) / (count + rest)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_score_is_the_formula() {
        // Four texts of two terms on average: term 0 is in one of them, term 1 in three.
        let vocabulary = Vocabulary::new([("a", 1), ("b", 3)].into_iter(), 4, 2.0);
        let bm25 = Bm25 { k1: 1.2, b: 0.75 };
        let mut query = Query::new(&[0, 1, 1], &vocabulary);
        // ln(1 + 3.5 / 1.5) = ln(10 / 3), ln(1 + 1.5 / 3.5) = ln(10 / 7); the rest is 1.2 (0.25 + 0.75 · 4 / 2) = 2.1.
        let a = (10.0_f64 / 3.0).ln() * 2.0 * 2.2 / (2.0 + 2.1);
        let b = 2.0 * (10.0_f64 / 7.0).ln() * 2.2 / (1.0 + 2.1);
        assert!((query.score(&[0, 1, 0], 4, bm25, 2.0) - (a + b)).abs() < 1e-12);
        assert!((query.score(&[1], 4, bm25, 2.0) - b).abs() < 1e-12);
        assert!(query.score(&[], 0, bm25, 2.0).is_sign_positive());
        let without_length = Bm25 { k1: 0.0, b: 0.75 };
        assert_eq!(query.score(&[], 0, without_length, 2.0), 0.0);
    }
}
