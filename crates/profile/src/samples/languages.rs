//! The languages of texts.

use std::collections::BTreeMap;

use datasketches::tuple::{
    SummaryCombinePolicy, SummaryPolicy, SummaryUpdatePolicy, TupleEntry, TupleSketch,
    TupleSketchBuilder, TupleUnionBuilder,
};
use lexstream_text::language::detect_language;

/// The languages of so many distinct texts are found out, where there are as many.
const LG_TEXTS: u8 = 12;

/// How much of a text tells its language, in bytes: a few sentences.
const LOOKED_AT: usize = 256;

/// What languages texts are in, by the rows of a sample.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Languages {
    /// How many rows' texts were looked at.
    pub looked_at: u64,
    /// How many of them are in which language, by its code of ISO 639-1, and in none that is known; the most first.
    pub found: Vec<(Option<&'static str>, u64)>,
    /// Whether that is a sample, of 2^12 distinct texts.
    pub is_sample: bool,
}

impl Languages {
    /// Returns the languages that one text in a hundred is in: of fewer, some are mistaken.
    pub(crate) fn common(&self) -> impl Iterator<Item = &'static str> {
        let common = |rows: u64| rows.saturating_mul(100) >= self.looked_at;
        let found = self.found.iter();
        found.filter_map(move |(language, rows)| language.filter(|_| common(*rows)))
    }
}

/// Keeps the beginnings of a sample of texts; their languages are found out when it is known which of them stay in it.
pub(crate) struct LanguageSample(TupleSketch<ByText>);

#[derive(Debug, Clone, Default)]
struct Seen {
    rows: u64,
    beginning: Box<str>,
}

#[derive(Debug)]
struct ByText;

impl SummaryPolicy for ByText {
    type Summary = Seen;

    fn create(&self) -> Seen {
        Seen::default()
    }
}

impl SummaryUpdatePolicy<&str> for ByText {
    fn update(&self, seen: &mut Seen, text: &str) {
        if seen.rows == 0 {
            seen.beginning = text[..text.floor_char_boundary(LOOKED_AT)].into();
        }
        seen.rows += 1;
    }
}

impl SummaryCombinePolicy for ByText {
    fn combine(&self, seen: &mut Seen, other: &Seen) {
        seen.rows += other.rows;
    }
}

impl LanguageSample {
    pub(crate) fn new() -> Self {
        let builder = TupleSketchBuilder::new(ByText).lg_k(LG_TEXTS);
        Self(builder.build().expect("from 5 to 26"))
    }

    pub(crate) fn add(&mut self, hash: u64, text: &str) {
        self.0.update(hash, text);
    }

    pub(crate) fn finish(samples: &[Self]) -> Languages {
        let union = TupleUnionBuilder::new(ByText).lg_k(LG_TEXTS);
        let mut union = union.build().expect("from 5 to 26");
        for sample in samples {
            union.update(&sample.0).expect("all have one seed");
        }
        let all = union.to_sketch(false);
        let mut rows: BTreeMap<Option<&'static str>, u64> = BTreeMap::new();
        for seen in all.iter().map(TupleEntry::summary) {
            let language = detect_language(&seen.beginning).map(|found| found.language);
            *rows.entry(language).or_default() += seen.rows;
        }
        let mut found: Vec<_> = rows.into_iter().collect();
        found.sort_by_key(|(_, rows)| std::cmp::Reverse(*rows));
        Languages {
            looked_at: found.iter().map(|(_, rows)| rows).sum(),
            found,
            is_sample: all.theta() < 1.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use lexstream_text::hashes::xxh64;

    use super::*;

    #[test]
    fn rows_are_counted_by_language_though_each_text_is_looked_at_once() {
        let texts = [
            "The weather will be fine tomorrow, and we want to walk along the river.",
            "Morgen wird das Wetter schön, und wir möchten am Fluss entlang spazieren gehen.",
            "12345",
        ];
        let mut samples = [LanguageSample::new(), LanguageSample::new()];
        for (row, text) in texts.iter().chain(&texts[..1]).enumerate() {
            samples[row % 2].add(xxh64(text.as_bytes(), 0), text);
        }
        let languages = LanguageSample::finish(&samples);
        assert_eq!(
            languages.found,
            [(Some("en"), 2), (None, 1), (Some("de"), 1)]
        );
        assert_eq!((languages.looked_at, languages.is_sample), (4, false));
    }

    #[test]
    fn a_language_of_one_text_in_two_hundred_is_not_common() {
        let languages = Languages {
            looked_at: 200,
            found: vec![
                (Some("en"), 190),
                (None, 7),
                (Some("de"), 2),
                (Some("nl"), 1),
            ],
            is_sample: false,
        };
        assert!(languages.common().eq(["en", "de"]));
    }
}
