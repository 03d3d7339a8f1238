//! Texts that are much like another one.

use std::collections::BTreeMap;

use datasketches::tuple::{
    SummaryCombinePolicy, SummaryPolicy, SummaryUpdatePolicy, TupleEntry, TupleSketch,
    TupleSketchBuilder, TupleUnionBuilder,
};
use lexstream_text::sketches::{MinHash, similarity};

use crate::tokens::hash_of_run;

/// So many groups of texts that may be alike, at least, are looked into, where there are as many.
const LG_GROUPS: u8 = 13;

/// Words in a shingle.
const WORDS: usize = 3;

/// Numbers of a signature.
const NUMBERS: usize = 32;

/// Texts whose signatures agree in this share of places are alike.
const ALIKE: f64 = 0.8;

/// Texts of a group that are kept, those of the least hashes: what has one head or foot on every page is in one group.
const KEPT: usize = 64;

/// The lowest 8 bits of each number: two that differ agree in them once in 256.
type Signature = [u8; NUMBERS];

/// Distinct texts that are much like one that came before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NearDuplicates {
    /// How many distinct texts of three words or more were compared.
    pub looked_at: u64,
    /// How many of them would be gone if of those that are alike one were kept: texts of which four fifths of all runs of
    /// three words are the same, by MinHash. Two texts that are alike to a share s are compared with the probability s.
    pub alike: u64,
    /// Whether that is a sample: of at least 2^13 groups of texts that share their least hash, and of 64 texts in each.
    pub is_sample: bool,
}

/// Finds texts that are alike, among those that share the least hash of their shingles.
pub(crate) struct NearSample {
    sketch: TupleSketch<ByLeastHash>,
    signer: Signer,
}

struct Signer {
    min_hash: MinHash,
    hashes: Vec<u32>,
}

/// The texts with one least hash: signatures by the texts' hashes.
#[derive(Debug, Clone, Default)]
struct Group {
    texts: BTreeMap<u64, Signature>,
    is_sample: bool,
}

#[derive(Debug)]
struct ByLeastHash;

/// A text on its way into its group; it is signed if it stays there.
struct Candidate<'a> {
    hash: u64,
    /// Of its tokens.
    tokens: &'a [u64],
    signer: &'a mut Signer,
}

impl Group {
    /// Adds a text, if it is not there yet and among those that are kept.
    fn add(&mut self, text: u64, signature: impl FnOnce() -> Signature) {
        if self.texts.contains_key(&text) {
            return;
        }
        if self.texts.len() == KEPT {
            self.is_sample = true;
            if self
                .texts
                .last_key_value()
                .is_some_and(|(last, _)| *last < text)
            {
                return;
            }
            self.texts.pop_last();
        }
        self.texts.insert(text, signature());
    }

    /// Returns how many texts are like one that stays.
    fn alike(&self) -> usize {
        let mut staying: Vec<&Signature> = Vec::with_capacity(self.texts.len());
        for signature in self.texts.values() {
            if !staying
                .iter()
                .any(|other| similarity(*other, signature) >= ALIKE)
            {
                staying.push(signature);
            }
        }
        self.texts.len() - staying.len()
    }
}

impl SummaryPolicy for ByLeastHash {
    type Summary = Group;

    fn create(&self) -> Group {
        Group::default()
    }
}

impl SummaryUpdatePolicy<Candidate<'_>> for ByLeastHash {
    fn update(&self, group: &mut Group, candidate: Candidate<'_>) {
        let Candidate {
            hash,
            tokens,
            signer,
        } = candidate;
        group.add(hash, || signer.sign(tokens));
    }
}

impl SummaryCombinePolicy for ByLeastHash {
    fn combine(&self, group: &mut Group, other: &Group) {
        group.is_sample |= other.is_sample;
        for (text, signature) in &other.texts {
            group.add(*text, || *signature);
        }
    }
}

impl Signer {
    fn sign(&mut self, tokens: &[u64]) -> Signature {
        let mut signature = [0; NUMBERS];
        self.hashes.clear();
        self.hashes.extend(shingles(tokens).map(|hash| hash as u32));
        self.min_hash.sign_hashes(&mut self.hashes, &mut signature);
        signature.map(|number| number as u8)
    }
}

/// Returns a hash of each run of three words.
fn shingles(tokens: &[u64]) -> impl Iterator<Item = u64> {
    tokens.windows(WORDS).map(hash_of_run)
}

impl NearSample {
    pub(crate) fn new() -> Self {
        let builder = TupleSketchBuilder::new(ByLeastHash).lg_k(LG_GROUPS);
        let signer = Signer {
            min_hash: MinHash::new(NUMBERS, 0),
            hashes: Vec::new(),
        };
        Self {
            sketch: builder.build().expect("from 5 to 26"),
            signer,
        }
    }

    /// Adds a text by the hashes of its tokens, in their order.
    pub(crate) fn add(&mut self, hash: u64, tokens: &[u64]) {
        let Some(least) = shingles(tokens).min() else {
            return;
        };
        let candidate = Candidate {
            hash,
            tokens,
            signer: &mut self.signer,
        };
        self.sketch.update(least, candidate);
    }

    pub(crate) fn finish(samples: &[Self]) -> NearDuplicates {
        let union = TupleUnionBuilder::new(ByLeastHash).lg_k(LG_GROUPS);
        let mut union = union.build().expect("from 5 to 26");
        for sample in samples {
            union.update(&sample.sketch).expect("all have one seed");
        }
        let all = union.to_sketch(false);
        let mut found = NearDuplicates {
            looked_at: 0,
            alike: 0,
            is_sample: all.theta() < 1.0,
        };
        for group in all.iter().map(TupleEntry::summary) {
            found.looked_at += group.texts.len() as u64;
            found.alike += group.alike() as u64;
            found.is_sample |= group.is_sample;
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use lexstream_text::hashes::xxh64;

    use super::*;
    use crate::tokens::Token;

    fn looked(texts: impl Iterator<Item = String>, threads: usize) -> NearDuplicates {
        let mut samples: Vec<_> = (0..threads).map(|_| NearSample::new()).collect();
        for (row, text) in texts.enumerate() {
            let words = text.split_whitespace();
            let tokens: Vec<_> = words
                .map(|word| Token::of(word, 0..word.len()).hash)
                .collect();
            samples[row % threads].add(xxh64(text.as_bytes(), 0), &tokens);
        }
        NearSample::finish(&samples)
    }

    /// A text of words that no other number has.
    fn text(number: usize, words: usize) -> String {
        let words = (0..words).map(|word| format!("w{number}x{word}"));
        words.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_text_with_a_word_more_is_alike_and_another_is_not() {
        let texts = |_| (0..500).map(|number| text(number, 100));
        let twins = texts(()).map(|text| format!("{text} more"));
        let found = looked(texts(()).chain(twins).chain(texts(())), 1);
        assert_eq!((found.looked_at, found.is_sample), (1000, false));
        // 98 of 99 runs are the same: 495 of 500 are in the group of their twin.
        assert!((480..=500).contains(&found.alike), "{found:?}");
        assert_eq!(looked(texts(()), 1).alike, 0);
    }

    #[test]
    fn threads_find_what_one_finds() {
        let texts = || {
            (0..300)
                .flat_map(|number| (0..3).map(move |twin| format!("{} {twin}", text(number, 60))))
        };
        assert_eq!(looked(texts(), 4), looked(texts(), 1));
    }

    #[test]
    fn of_many_texts_with_one_head_some_are_compared() {
        let head = text(0, 400);
        let texts = || (1..2000).map(|number| format!("{head} {}", text(number, 3)));
        let found = looked(texts(), 3);
        assert_eq!(found, looked(texts(), 1));
        // All but those whose least hash is of the runs that end them, about one in a hundred.
        assert!(found.is_sample && found.looked_at < 100, "{found:?}");
        assert!(found.alike >= 63, "{found:?}");
    }

    #[test]
    fn texts_of_two_words_are_not_compared() {
        let found = looked(["", "a", "a b"].into_iter().map(str::to_owned), 1);
        assert_eq!(found.looked_at, 0);
    }
}
