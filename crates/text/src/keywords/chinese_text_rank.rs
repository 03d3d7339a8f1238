//! `'textrank'`: TextRank over Chinese nouns and verbs.

use super::chinese_stop_words::may_be_keyword;
use super::text_rank::text_rank;
use super::{Extractor, best};
use crate::pos_tags::PosTagger;

/// The tags of words that may be keywords: nouns, places, verbs and nouns made of verbs.
const TAGS: [&str; 4] = ["n", "ns", "v", "vn"];

/// Scores the nouns and verbs of two or more characters by TextRank, as jieba 0.42.1's `jieba.analyse.textrank`.
///
/// Words and tags are those of jieba.posseg; case is kept. All words count for how far apart two are, so that a text
/// with one keyword has none. Memory is for the words of one text and their pairs.
#[derive(Debug)]
pub struct ChineseTextRank {
    tagger: PosTagger,
}

impl ChineseTextRank {
    /// Returns the extractor by jieba's dictionary and model; both are loaded when first asked for, once a process.
    pub fn built_in() -> Self {
        Self {
            tagger: PosTagger::built_in(),
        }
    }
}

impl Extractor for ChineseTextRank {
    fn extract(&self, text: &str, most: usize, each: &mut dyn FnMut(&str, f64)) {
        let mut words = Vec::new();
        self.tagger.for_each(text, |word, tag| {
            words.push((TAGS.contains(&tag) && may_be_keyword(word)).then_some(word));
        });
        best(text_rank(&words), most, each);
    }
}

#[cfg(test)]
mod tests {
    use super::super::extracted;
    use super::*;

    #[test]
    fn nouns_and_verbs_near_each_other_are_scored() {
        // posseg: 北京 ns, 的 uj, 天气 n, 影响 vn, 了 ul, 交通 n, 。 x; 6 pairs, of which 北京 and 交通 are too far apart.
        let text = "北京的天气影响了交通。";
        let found = extracted(&ChineseTextRank::built_in(), text, 9);
        let mut terms: Vec<_> = found.iter().map(|(term, _)| term.as_str()).collect();
        assert_eq!(found[0].1, 1.0);
        terms.sort_unstable();
        assert_eq!(terms, ["交通", "北京", "天气", "影响"]);
        assert_eq!(extracted(&ChineseTextRank::built_in(), text, 1), found[..1]);
    }

    #[test]
    fn a_text_without_pairs_has_none() {
        for text in ["", "北京", "我和你。", "the data of Rust"] {
            assert_eq!(
                extracted(&ChineseTextRank::built_in(), text, 3),
                [],
                "{text:?}"
            );
        }
    }
}
