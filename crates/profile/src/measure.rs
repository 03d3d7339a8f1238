//! One pass over texts.

use std::sync::Arc;

use lexstream_text::hashes::xxh64;
use lexstream_text::lower_case::to_lowercase;
use lexstream_text::tokenizers::{Span, Tokenizer};

use super::Profile;
use super::examples::Extremes;
use super::lengths::Lengths;
use super::marks::Marks;
use super::samples::{LanguageSample, NearSample, RepeatSample};
use super::tokens::Token;
use super::words::WordCounter;

/// A longer text is cut into tokens by and by, so that one of 100 MB takes no more room than others, in bytes.
const PIECE: usize = 1 << 20;

/// Takes texts one by one, in memory that does not grow with them; each thread has its own.
#[expect(
    missing_debug_implementations,
    reason = "sketches of texts say nothing to a person"
)]
pub struct Measure {
    tokenizer: Arc<dyn Tokenizer>,
    rows: u64,
    nulls: u64,
    empty: u64,
    blank: u64,
    bytes: u64,
    characters: Lengths,
    tokens: Lengths,
    repeats: RepeatSample,
    near: NearSample,
    languages: LanguageSample,
    words: WordCounter,
    marks: Marks,
    shortest: Extremes,
    longest: Extremes,
    lower: String,
    buffer: String,
    spans: Vec<Span>,
    hashes: Vec<u64>,
}

impl Measure {
    /// Begins; texts are cut into tokens by this tokenizer.
    pub fn new(tokenizer: Arc<dyn Tokenizer>) -> Self {
        Self {
            tokenizer,
            rows: 0,
            nulls: 0,
            empty: 0,
            blank: 0,
            bytes: 0,
            characters: Lengths::default(),
            tokens: Lengths::default(),
            repeats: RepeatSample::new(),
            near: NearSample::new(),
            languages: LanguageSample::new(),
            words: WordCounter::new(),
            marks: Marks::default(),
            shortest: Extremes::new(false),
            longest: Extremes::new(true),
            lower: String::new(),
            buffer: String::new(),
            spans: Vec::new(),
            hashes: Vec::new(),
        }
    }

    /// Takes a row.
    pub fn add(&mut self, text: Option<&str>) {
        self.rows += 1;
        let Some(text) = text else {
            self.nulls += 1;
            return;
        };
        let hash = xxh64(text.as_bytes(), 0);
        let characters = text.chars().count() as u64;
        let is_blank = text.trim_start().is_empty();
        self.bytes += text.len() as u64;
        self.characters.add(characters);
        self.repeats.add(hash);
        self.marks.add(text);
        self.longest.add(text, characters);
        if is_blank {
            self.empty += u64::from(text.is_empty());
            self.blank += u64::from(!text.is_empty());
        } else {
            self.shortest.add(text, characters);
            self.languages.add(hash, text);
        }
        let mut tokens = 0;
        for (place, piece) in pieces(text).enumerate() {
            self.lower.clear();
            to_lowercase(piece, &mut self.lower);
            self.spans.clear();
            let (buffer, spans) = (&mut self.buffer, &mut self.spans);
            let cut = self.tokenizer.cut(&self.lower, buffer, spans);
            tokens += self.spans.len() as u64;
            self.hashes.clear();
            for span in &self.spans {
                let token = Token::of(cut, span.range());
                self.hashes.push(token.hash);
                self.words.add(token);
            }
            if place == 0 {
                self.near.add(hash, &self.hashes);
            }
        }
        self.tokens.add(tokens);
    }

    /// Puts together what the threads have found; of no thread, that there is nothing.
    pub fn finish(measures: Vec<Self>) -> Profile {
        let mut repeats = Vec::new();
        let mut near = Vec::new();
        let mut languages = Vec::new();
        let mut words = WordCounter::new();
        let (mut shortest, mut longest) = (Extremes::new(false), Extremes::new(true));
        let (mut characters, mut tokens) = (Lengths::default(), Lengths::default());
        let mut marks = Marks::default();
        let [mut rows, mut nulls, mut empty, mut blank, mut bytes] = [0; 5];
        for measure in measures {
            rows += measure.rows;
            nulls += measure.nulls;
            empty += measure.empty;
            blank += measure.blank;
            bytes += measure.bytes;
            characters.merge(&measure.characters);
            tokens.merge(&measure.tokens);
            repeats.push(measure.repeats);
            near.push(measure.near);
            languages.push(measure.languages);
            words.merge(measure.words);
            marks.merge(measure.marks);
            shortest.merge(measure.shortest);
            longest.merge(measure.longest);
        }
        let languages = LanguageSample::finish(&languages);
        Profile {
            rows,
            nulls,
            empty,
            blank,
            bytes,
            characters,
            tokens,
            repeated: RepeatSample::finish(&repeats),
            near_duplicates: NearSample::finish(&near),
            words: words.finish(languages.common()),
            languages,
            marks,
            shortest: shortest.finish(),
            longest: longest.finish(),
        }
    }
}

/// Cuts a long text before white space, where there is any, so that hardly a token is cut.
fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let end = match rest.len() {
            0 => return None,
            length if length <= PIECE => length,
            _ => {
                let most = rest.floor_char_boundary(PIECE);
                let space = rest[..most].rfind(char::is_whitespace);
                space.filter(|space| *space > 0).unwrap_or(most)
            }
        };
        let (piece, behind) = rest.split_at(end);
        rest = behind;
        Some(piece)
    })
}

#[cfg(test)]
mod tests {
    use lexstream_text::tokenizers::Word;

    use super::*;

    #[test]
    fn a_long_text_has_all_of_its_tokens() {
        let words = 500_000;
        let long = "Straße ".repeat(words);
        assert!(pieces(&long).count() > 3 && pieces(&long).all(|piece| piece.len() <= PIECE));
        assert!(pieces(&long).map(str::len).sum::<usize>() == long.len());
        let mut measure = Measure::new(Arc::new(Word));
        measure.add(Some(&long));
        let profile = Measure::finish(vec![measure]);
        assert_eq!(profile.tokens.sum(), words as u64);
        assert_eq!(profile.words.frequent[0].at_least, words as u64);
    }

    #[test]
    fn a_long_text_without_a_space_is_cut_between_characters() {
        let long = "漢".repeat(PIECE);
        assert!(pieces(&long).all(|piece| piece.len() == PIECE / 3 * 3 || piece.len() < PIECE));
        assert!(pieces("").next().is_none());
    }

    #[test]
    fn rows_are_counted_by_what_is_in_them() {
        let mut measure = Measure::new(Arc::new(Word));
        for text in [None, Some(""), Some(" \n"), Some("Ein Ei"), Some("Ein Ei")] {
            measure.add(text);
        }
        let profile = Measure::finish(vec![measure, Measure::new(Arc::new(Word))]);
        assert_eq!((profile.rows, profile.nulls, profile.texts()), (5, 1, 4));
        assert_eq!((profile.empty, profile.blank, profile.bytes), (1, 1, 14));
        assert_eq!((profile.repeated.texts, profile.repeated.distinct), (1, 3));
        assert_eq!((profile.tokens.count(), profile.tokens.sum()), (4, 4));
        assert_eq!(profile.shortest.len(), 1);
    }
}
