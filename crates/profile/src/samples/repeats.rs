//! How often a text comes again.

use datasketches::tuple::{
    CompactTupleSketch, DefaultUnionPolicy, DefaultUpdatePolicy, TupleSketch, TupleSketchBuilder,
    TupleUnionBuilder,
};

/// So many distinct texts, at least, are counted exactly; of more, this many are a sample.
const LG_TEXTS: u8 = 17;

/// Texts that came before, letter by letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Repeated {
    /// How many texts would be gone if each were kept once.
    pub texts: u64,
    /// How many distinct texts there are.
    pub distinct: u64,
    /// Whether the numbers are estimates: of a sample of at least 2^17 distinct texts.
    pub is_estimate: bool,
}

/// Counts how often texts come.
pub(crate) struct RepeatSample(TupleSketch<DefaultUpdatePolicy<u64>>);

impl RepeatSample {
    pub(crate) fn new() -> Self {
        let builder = TupleSketchBuilder::new(DefaultUpdatePolicy::default()).lg_k(LG_TEXTS);
        Self(builder.build().expect("from 5 to 26"))
    }

    pub(crate) fn add(&mut self, hash: u64) {
        self.0.update(hash, 1_u64);
    }

    pub(crate) fn finish(samples: &[Self]) -> Repeated {
        let union = TupleUnionBuilder::new(DefaultUnionPolicy::<u64>::default()).lg_k(LG_TEXTS);
        let mut union = union.build().expect("from 5 to 26");
        for sample in samples {
            union.update(&sample.0).expect("all have one seed");
        }
        let all: CompactTupleSketch<u64> = union.to_sketch(false);
        let again: u64 = all.iter().map(|entry| entry.summary() - 1).sum();
        let share = all.theta();
        Repeated {
            texts: (again as f64 / share).round() as u64,
            distinct: all.estimate().round() as u64,
            is_estimate: share < 1.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use lexstream_text::hashes::xxh64;

    use super::*;

    /// Each of so many texts once, every third twice; by two threads in turn.
    fn repeated(texts: u64) -> Repeated {
        let mut samples = [RepeatSample::new(), RepeatSample::new()];
        for text in 0..texts {
            let hash = xxh64(&text.to_le_bytes(), 0);
            samples[0].add(hash);
            if text % 3 == 0 {
                samples[text as usize % 2].add(hash);
            }
        }
        RepeatSample::finish(&samples)
    }

    #[test]
    fn few_texts_are_counted_and_many_estimated() {
        let few = repeated(3_000);
        let expected = Repeated {
            texts: 1_000,
            distinct: 3_000,
            is_estimate: false,
        };
        assert_eq!(few, expected);
        let many = repeated(900_000);
        assert!(many.is_estimate);
        assert!(many.texts.abs_diff(300_000) < 6_000, "{many:?}");
        assert!(many.distinct.abs_diff(900_000) < 9_000, "{many:?}");
    }

    #[test]
    fn no_text_comes_again() {
        let none = RepeatSample::finish(&[RepeatSample::new()]);
        assert_eq!(
            none,
            Repeated {
                texts: 0,
                distinct: 0,
                is_estimate: false
            }
        );
    }
}
