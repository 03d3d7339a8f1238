//! `'sklearn'`: the default analyser of scikit-learn's `CountVectorizer`.

use icu_properties::CodePointMapData;
use icu_properties::props::{GeneralCategory, GeneralCategoryGroup};

use super::blocks::{BLOCK, LOWER, Runs, bits, word_bits};
use super::{Span, Tokenizer};
use crate::lower_case::to_lowercase;

/// Cuts a text as scikit-learn's `CountVectorizer` does by default: lower case, then the pattern `(?u)\b\w\w+\b`.
///
/// A word character is what Python's `\w` takes: the general categories L and N, and `_`; never a
/// mark, so a decomposed accent ends a word. A run of one word character is no token.
#[derive(Debug)]
pub struct Sklearn;

impl Tokenizer for Sklearn {
    fn cut<'a>(&self, text: &'a str, buffer: &'a mut String, spans: &mut Vec<Span>) -> &'a str {
        buffer.clear();
        to_lowercase(text, buffer);
        cut(buffer, spans, |block| word_bits(block, 0));
        buffer
    }
}

/// Cuts a text by the same pattern, its case kept: `CountVectorizer(lowercase=False)`.
#[derive(Debug)]
pub struct SklearnCased;

impl Tokenizer for SklearnCased {
    fn cut<'a>(&self, text: &'a str, _: &'a mut String, spans: &mut Vec<Span>) -> &'a str {
        // A letter in upper case is one in lower case but for a bit.
        cut(text, spans, |block| word_bits(block, LOWER));
        text
    }
}

/// Adds the runs of two or more word characters; `ascii` knows those of a block of ASCII.
fn cut(text: &str, spans: &mut Vec<Span>, ascii: impl Fn(&[u8; BLOCK]) -> u64) {
    let mut blocks = WordBlocks::new(text);
    let mut runs = Runs::default();
    while let Some((base, words)) = blocks.next(&ascii) {
        runs.add(base, words, |start, end| push(text, start, end, spans));
    }
    runs.end(text.len(), |start, end| push(text, start, end, spans));
}

/// Adds a run of word characters, unless it is only one.
#[inline]
fn push(text: &str, start: usize, end: usize, spans: &mut Vec<Span>) {
    let first = match text.as_bytes()[start] {
        0..0xc0 => 1,
        0xc0..0xe0 => 2,
        0xe0..0xf0 => 3,
        _ => 4,
    };
    if end - start > first {
        spans.push(Span::new(start, end - start));
    }
}

/// Tells, block by block, which bytes of a text belong to a word character.
struct WordBlocks<'a> {
    text: &'a str,
    /// Where the next block starts.
    base: usize,
    /// The bits of a character that reaches into the next block.
    carry: u64,
}

impl<'a> WordBlocks<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            text,
            base: 0,
            carry: 0,
        }
    }

    /// Returns where the next block starts, and its bits, the first byte's lowest; what lies behind the text is no word.
    #[inline]
    fn next(&mut self, ascii: impl Fn(&[u8; BLOCK]) -> u64) -> Option<(usize, u64)> {
        let base = self.base;
        let rest = self.text.as_bytes().get(base..)?;
        self.base += BLOCK;
        match rest.first_chunk::<BLOCK>() {
            // The bytes of a character that began before are not ASCII either.
            Some(block) if block.is_ascii() => Some((base, ascii(block))),
            Some(block) => Some((base, ascii(block) | self.others(base, block))),
            None if rest.is_empty() => None,
            None => {
                let mut block = [0; BLOCK];
                block[..rest.len()].copy_from_slice(rest);
                Some((base, ascii(&block) | self.others(base, &block)))
            }
        }
    }

    /// Returns the bits of the characters beyond ASCII.
    fn others(&mut self, base: usize, block: &[u8; BLOCK]) -> u64 {
        let mut words = std::mem::take(&mut self.carry);
        let mut firsts = bits(block, |byte| u8::from(byte >= 0xc0));
        while firsts != 0 {
            let at = firsts.trailing_zeros();
            firsts &= firsts - 1;
            let character = self.text[base + at as usize..].chars().next();
            if let Some(character) = character.filter(|character| is_word(*character)) {
                let bits = ((1_u128 << character.len_utf8()) - 1) << at;
                words |= bits as u64;
                self.carry = (bits >> BLOCK) as u64;
            }
        }
        words
    }
}

fn is_word(character: char) -> bool {
    const WORD: GeneralCategoryGroup =
        GeneralCategoryGroup::Letter.union(GeneralCategoryGroup::Number);
    WORD.contains(CodePointMapData::<GeneralCategory>::new().get(character))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::tokens;
    use super::*;

    fn check(text: &str, expected: &[&str]) {
        assert_eq!(tokens(&Sklearn, text), expected, "{text:?}");
    }

    #[test]
    fn single_characters_are_dropped() {
        check("I am a C_3 cat", &["am", "c_3", "cat"]);
    }

    #[test]
    fn marks_end_a_word() {
        check("cafe\u{301}s", &["cafe"]);
        check("हिन्दी", &[]);
    }

    #[test]
    fn superscripts_are_word_characters() {
        check("x² ½a", &["x²", "½a"]);
    }

    #[test]
    fn lower_case_comes_first() {
        // İ becomes i and a combining dot above, which is a mark.
        check("İstanbul ΟΔΟΣ Straße", &["stanbul", "οδος", "straße"]);
    }

    #[test]
    fn ideographs_run_together() {
        check("我来到北京 ok", &["我来到北京", "ok"]);
    }

    /// The definition, a character at a time.
    fn by_characters(text: &str) -> Vec<String> {
        text.split(|character| !is_word(character) && character != '_')
            .filter(|run| run.chars().count() >= 2)
            .map(str::to_owned)
            .collect()
    }

    proptest! {
        #[test]
        fn blocks_agree_with_the_definition(text in "([a-zA-Z_0-9]{1,70}|[ ,.]{1,3}|[éß漢字𝒜²\u{301}ΣİΩ]{1,3}|\\PC)*") {
            prop_assert_eq!(tokens(&Sklearn, &text), by_characters(&text.to_lowercase()));
            prop_assert_eq!(tokens(&SklearnCased, &text), by_characters(&text));
        }
    }
}
