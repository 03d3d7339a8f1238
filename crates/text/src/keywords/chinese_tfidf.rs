//! `'tfidf'`: TF-IDF of Chinese words, by jieba's document frequencies.

use std::sync::LazyLock;

use hashbrown::HashMap;
use include_flate::flate;

use super::chinese_stop_words::may_be_keyword;
use super::{Extractor, best};
use crate::tokenizers::Tokenizer;
use crate::tokenizers::jieba::{Jieba, Mode};

// In how many texts each word is, by python/jieba_idf.py: a line a number. jieba's (MIT, see text/LICENSE-jieba.txt).
flate!(static FREQUENCIES: str from "src/keywords/idf.txt" with zstd);

/// How many texts jieba's figures were made of.
const TEXTS: f64 = 1_088_899.0;

/// In how many texts a word is that jieba has no figure of: the median.
const MEDIAN: u32 = 7;

/// Scores each word of two or more characters with its share of those words times its inverse document frequency, as
/// jieba 0.42.1's `jieba.analyse.extract_tags`.
///
/// The inverse document frequency is ln(1,088,899 / documents with the word), from jieba's table of 270,132 words; a word
/// that is not in there counts as the median, 7 documents. Words are those of `'jieba'`; case is kept.
#[derive(Debug)]
pub struct ChineseTfidf {
    jieba: Jieba,
    documents: &'static HashMap<&'static str, u32>,
}

impl ChineseTfidf {
    /// Returns the extractor by jieba's dictionary and table; both are loaded when first asked for, once a process.
    pub fn built_in() -> Self {
        static DOCUMENTS: LazyLock<HashMap<&str, u32>> = LazyLock::new(|| {
            let mut documents = HashMap::with_capacity(270_132);
            for line in FREQUENCIES.lines() {
                let mut fields = line.split(' ');
                let number = fields.next().and_then(|number| number.parse().ok());
                let number: u32 = number.expect("the script writes a number first");
                documents.extend(fields.map(|word| (word, number)));
            }
            documents
        });
        Self {
            jieba: Jieba::built_in(Mode::Exact),
            documents: &DOCUMENTS,
        }
    }
}

impl Extractor for ChineseTfidf {
    fn extract(&self, text: &str, most: usize, each: &mut dyn FnMut(&str, f64)) {
        let mut spans = Vec::new();
        self.jieba.cut(text, &mut String::new(), &mut spans);
        let words = spans.into_iter().map(|span| &text[span.range()]);
        let mut counts = HashMap::<&str, u64>::new();
        for word in words.filter(|word| may_be_keyword(word)) {
            *counts.entry(word).or_default() += 1;
        }
        let total = counts.values().sum::<u64>() as f64;
        let found = counts
            .into_iter()
            .map(|(word, count)| {
                let documents = self.documents.get(word).copied().unwrap_or(MEDIAN);
                let idf = (TEXTS / f64::from(documents)).ln();
                (word, count as f64 * (idf / total))
            })
            .collect();
        best(found, most, each);
    }
}

#[cfg(test)]
mod tests {
    use super::super::extracted;
    use super::*;

    #[test]
    fn the_table_is_jiebas() {
        let documents = ChineseTfidf::built_in().documents;
        assert_eq!(documents.len(), 270_132);
        let mut numbers: Vec<_> = documents.values().copied().collect();
        numbers.sort_unstable();
        // Idf falls where documents rise: the upper median of one is the lower median of the other.
        assert_eq!(numbers[(numbers.len() - 1) / 2], MEDIAN);
        // Lines of jieba's idf.txt.
        for (word, idf) in [("劳动防护", 13.900677652), ("岗上", 11.5027823792)] {
            let found = (TEXTS / f64::from(documents[word])).ln();
            assert!((found - idf).abs() < 1e-9, "{word}: {found}");
        }
    }

    #[test]
    fn scores_are_shares_times_idf() {
        // Four words of two or more characters; jieba knows 北京 and 清华大学, and `Rust` counts as the median.
        let found = extracted(
            &ChineseTfidf::built_in(),
            "我在北京的清华大学写 Rust，the 北京！",
            10,
        );
        let terms: Vec<_> = found.iter().map(|(term, _)| term.as_str()).collect();
        assert_eq!(terms, ["Rust", "北京", "清华大学"]);
        assert!((found[0].1 - (TEXTS / 7.0).ln() / 4.0).abs() < 1e-12);
    }

    #[test]
    fn a_text_without_words_has_none() {
        assert_eq!(extracted(&ChineseTfidf::built_in(), "", 3), []);
        assert_eq!(extracted(&ChineseTfidf::built_in(), "我 the。\r\n", 3), []);
    }
}
