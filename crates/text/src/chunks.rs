//! Chunking: pieces of a bounded size, cut at paragraph, sentence or word boundaries.

use std::num::NonZeroUsize;
use std::ops::Range;
use std::sync::Arc;

use unicode_segmentation::UnicodeSegmentation;

use super::tokenizers::Tokenizer;

/// Unit of a piece's length.
#[derive(Debug, Clone)]
pub enum Unit {
    /// Code points.
    Char,
    /// Words at Unicode word boundaries (UAX #29).
    Word,
    /// The tokens of a tokenizer.
    Token(Arc<dyn Tokenizer>),
}

/// Bytes of a text that are cut at once, a word or token; more where they hold too few.
const BYTES_A_UNIT: usize = 8;

/// Words or tokens behind the last that is counted, so that a cut in the middle of a word is not seen.
const MARGIN: usize = 16;

impl Unit {
    /// The names of those without a tokenizer, alphabetical.
    pub const NAMES: &[&str] = &["char", "word"];

    /// Returns the unit of this name, without regard to case.
    pub fn named(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "char" => Some(Self::Char),
            "word" => Some(Self::Word),
            _ => None,
        }
    }

    /// Returns the tokens of a tokenizer, where it knows where in the text they are.
    pub fn tokens(tokenizer: Arc<dyn Tokenizer>) -> Option<Self> {
        let knows = tokenizer.starts("A", &mut Vec::new());
        knows.then_some(Self::Token(tokenizer))
    }

    /// Returns where the first `count` units of a text end; what is no unit belongs to the one before it.
    fn end(&self, text: &str, count: usize) -> usize {
        let end = match self {
            Self::Char => text.char_indices().nth(count).map(|(at, _)| at),
            Self::Word => start_of(text, count, |part, starts| {
                starts.clear();
                starts.extend(part.unicode_word_indices().map(|(at, _)| at));
            }),
            Self::Token(tokenizer) => start_of(text, count, |part, starts| {
                starts_of(&**tokenizer, part, starts);
            }),
        };
        end.unwrap_or(text.len())
    }

    /// Returns where the last `count` units of a text start.
    fn start(&self, text: &str, count: usize) -> usize {
        if count == 0 {
            return text.len();
        }
        let start = match self {
            Self::Char => text.char_indices().nth_back(count - 1).map(|(at, _)| at),
            Self::Word => text
                .unicode_word_indices()
                .nth_back(count - 1)
                .map(|(at, _)| at),
            Self::Token(tokenizer) => {
                let mut starts = Vec::new();
                starts_of(&**tokenizer, text, &mut starts);
                let start = starts.into_iter().nth_back(count - 1);
                start.map(|at| text.floor_char_boundary(at))
            }
        };
        start.unwrap_or(0)
    }
}

/// Returns where the tokens of a text begin, ascending: those of some tokenizers lie inside of one another.
fn starts_of(tokenizer: &dyn Tokenizer, text: &str, starts: &mut Vec<usize>) {
    starts.clear();
    tokenizer.starts(text, starts);
    starts.sort_unstable();
}

/// Returns where word or token `count` of a text begins; the text is read as far as that takes, where an iterator over all of
/// it might look whether it is ASCII.
fn start_of(text: &str, count: usize, starts_of: impl Fn(&str, &mut Vec<usize>)) -> Option<usize> {
    let enough = count.saturating_add(MARGIN);
    let mut bytes = enough.saturating_mul(BYTES_A_UNIT);
    let mut starts = Vec::new();
    loop {
        let part = &text[..text.floor_char_boundary(bytes)];
        starts_of(part, &mut starts);
        if part.len() == text.len() || starts.len() >= enough {
            let start = starts.get(count).copied();
            return start.map(|at| text.floor_char_boundary(at));
        }
        bytes = bytes.saturating_mul(4);
    }
}

/// Options of chunking.
#[derive(Debug, Clone)]
pub struct Cut {
    /// The most units of a piece.
    pub size: NonZeroUsize,
    /// The most units at the end of a piece that the next one repeats: fewer than `size`.
    pub overlap: usize,
    /// What is counted.
    pub unit: Unit,
}

/// Looks this far behind a piece, in bytes, for what tells whether its end is a boundary.
const AHEAD: usize = 256;

/// Calls `each` with where each piece of a text lies, in order; without overlap they concatenate to the text.
///
/// A piece that is not the last ends behind the last blank line in its second half; where there is none, behind the last
/// sentence there; else behind the last white space, at the last word boundary, or between two graphemes. A grapheme that
/// is longer than a piece is cut, but no code point, whatever its tokens. What is repeated begins with a word. Memory is
/// for one piece.
///
/// A piece has no more than `size` tokens when it is cut alone, as models read it. That costs several times what cutting
/// the text once does: as much of it is cut as may be a piece, then the piece, and what overlaps again.
pub fn for_each_chunk(text: &str, cut: &Cut, mut each: impl FnMut(Range<usize>)) {
    let (mut start, mut end) = (0, 0);
    while start < text.len() {
        let rest = &text[start..];
        let most = cut.unit.end(rest, cut.size.get());
        if most == rest.len() {
            return each(start..text.len());
        }
        // What the piece before had is not enough for a piece.
        let Some(length) = end_of_chunk(rest, end - start, most, cut) else {
            start = end;
            continue;
        };
        end = start + length;
        each(start..end);
        let again = cut.unit.start(&text[start..end], cut.overlap);
        // A piece that began no later than the one before would never come to an end.
        start = match first_word(&text[start..end], again.max(1)) {
            Some(at) => start + at,
            None => end,
        };
    }
}

/// Returns the best place to cut `text` at, behind `least`; none where what lies before that leaves no room for more.
fn end_of_chunk(text: &str, least: usize, mut most: usize, cut: &Cut) -> Option<usize> {
    let next = text.ceil_char_boundary(least + 1);
    loop {
        most = most.max(next);
        let end = best_end(text, least, most);
        if !matches!(cut.unit, Unit::Token(_)) {
            return Some(end);
        }
        // Cut off from what follows, the end may have other tokens, and more.
        most = cut.unit.end(&text[..end], cut.size.get());
        if most == end || end == next && least == 0 {
            return Some(end);
        }
        if end == next {
            return None;
        }
    }
}

/// Returns the best place to cut `text` at, behind `least` and at most at `most`, which lies inside of it.
fn best_end(text: &str, least: usize, most: usize) -> usize {
    let ahead = text.ceil_char_boundary((most + AHEAD).min(text.len()));
    let window = &text[..ahead];
    let half = least.max(most / 2);
    if let Some(end) = paragraph_end(&window[..most]).filter(|end| *end > half) {
        return end;
    }
    let within = |at: &usize| least < *at && *at <= most;
    let sentences = window.split_sentence_bound_indices().map(|(at, _)| at);
    if let Some(end) = sentences.filter(within).last().filter(|end| *end > half) {
        return end;
    }
    let words = || {
        window
            .split_word_bound_indices()
            .map(|(at, _)| at)
            .filter(within)
    };
    let behind_space = |at: &usize| window[..*at].ends_with(char::is_whitespace);
    let graphemes = || {
        window
            .grapheme_indices(true)
            .map(|(at, _)| at)
            .filter(within)
    };
    words()
        .rfind(behind_space)
        .or_else(|| words().next_back())
        .or_else(|| graphemes().next_back())
        .unwrap_or(most)
}

/// Returns the place behind the last blank line of a text.
fn paragraph_end(text: &str) -> Option<usize> {
    let mut end = text.len();
    loop {
        let line = text[..end].rfind(['\n', '\u{2029}'])?;
        let behind = line + if text[line..].starts_with('\n') { 1 } else { 3 };
        let before = text[..line].trim_end_matches([' ', '\t', '\r']);
        if text[line..].starts_with('\u{2029}') || before.ends_with('\n') {
            return Some(behind);
        }
        end = line;
    }
}

/// Returns where the first word from `at` on begins.
fn first_word(text: &str, at: usize) -> Option<usize> {
    let mut words = text.unicode_word_indices().map(|(start, _)| start);
    words.find(|start| *start >= at)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::tokenizers::Span;
    use super::super::tokenizers::jieba::{Jieba, Mode};
    use super::*;

    fn chunks(text: &str, size: usize, overlap: usize, unit: Unit) -> Vec<&str> {
        let size = NonZeroUsize::new(size).expect("at least 1");
        let mut found = Vec::new();
        for_each_chunk(
            text,
            &Cut {
                size,
                overlap,
                unit,
            },
            |span| found.push(&text[span]),
        );
        found
    }

    fn check(text: &str, size: usize, expected: &[&str]) {
        assert_eq!(chunks(text, size, 0, Unit::Char), expected, "{text:?}");
    }

    #[test]
    fn paragraphs_come_before_sentences_before_words() {
        check(
            "One two.\n\nThree. Four five",
            18,
            &["One two.\n\n", "Three. Four five"],
        );
        check(
            "One two. Three. Four five",
            18,
            &["One two. Three. ", "Four five"],
        );
        check(
            "One two three, four five",
            16,
            &["One two three, ", "four five"],
        );
        check("我来到北京清华大学", 4, &["我来到北", "京清华大", "学"]);
        check("internationalization", 8, &["internat", "ionaliza", "tion"]);
    }

    #[test]
    fn a_boundary_in_the_first_half_makes_no_piece() {
        check("A.\n\nB c d e f g h", 12, &["A.\n\nB c d e ", "f g h"]);
    }

    #[test]
    fn graphemes_stay_whole_where_they_fit() {
        check(
            "e\u{301}e\u{301}e\u{301}",
            5,
            &["e\u{301}e\u{301}", "e\u{301}"],
        );
        check("e\u{301}", 1, &["e", "\u{301}"]);
        check("", 1, &[]);
    }

    #[test]
    fn words_are_counted_without_what_stands_between() {
        assert_eq!(
            chunks("to be, or not, to be", 3, 0, Unit::Word),
            ["to be, or ", "not, to be"]
        );
    }

    #[test]
    fn the_end_of_a_piece_is_repeated_from_a_word_on() {
        assert_eq!(
            chunks("one two three four five", 3, 1, Unit::Word),
            ["one two three ", "three four five"]
        );
        assert_eq!(
            chunks("one two three four", 9, 5, Unit::Char),
            ["one two ", "two three", "three ", "four"]
        );
    }

    /// Every three characters of a word are a token, and at the end of the text every one: what is cut off has more.
    #[derive(Debug)]
    struct Threes;

    impl Tokenizer for Threes {
        fn cut<'a>(&self, text: &'a str, _: &'a mut String, spans: &mut Vec<Span>) -> &'a str {
            for (start, word) in text.unicode_word_indices() {
                let characters = word.char_indices();
                for (at, character) in characters.enumerate() {
                    let is_end = start + word.len() == text.len();
                    if is_end || at % 3 == 0 {
                        spans.push(Span::new(start + character.0, character.1.len_utf8()));
                    }
                }
            }
            text
        }
    }

    fn threes(text: &str, size: usize, overlap: usize) -> Vec<&str> {
        let unit = Unit::tokens(Arc::new(Threes)).expect("it does not rewrite");
        chunks(text, size, overlap, unit)
    }

    #[test]
    fn a_piece_alone_has_no_more_tokens_than_told() {
        assert_eq!(threes("abcdef ghi jkl", 3, 0), ["abcdef ghi ", "jkl"]);
        assert_eq!(threes("abcdefghijkl", 4, 0), ["abcd", "efgh", "ijkl"]);
        assert_eq!(
            threes("abc def ghi jkl mno", 3, 1),
            ["abc def ghi ", "ghi jkl ", "jkl mn", "o"]
        );
        // The words inside of words are tokens too.
        let search = Arc::new(Jieba::built_in(Mode::Search));
        let unit = Unit::tokens(search).expect("it does not rewrite");
        assert_eq!(
            chunks("清华大学，清华大学", 5, 0, unit),
            ["清华大学，", "清华大学"]
        );
        assert!(Unit::tokens(Arc::new(crate::tokenizers::Sklearn)).is_none());
    }

    proptest! {
        #[test]
        fn pieces_of_tokens_concatenate(text in "[a-z .\\n漢\u{301}]{0,80}", size in 1_usize..9, overlap in 0_usize..8) {
            let found = threes(&text, size, 0);
            prop_assert_eq!(found.concat(), &*text);
            for piece in found.iter().chain(&threes(&text, size, overlap.min(size - 1))) {
                let mut starts = Vec::new();
                Threes.starts(piece, &mut starts);
                prop_assert!(!piece.is_empty() && (starts.len() <= size || piece.chars().count() == 1), "{piece:?}");
            }
        }

        #[test]
        fn pieces_concatenate_and_are_no_longer_than_told(text in "[a-z .\\n!漢\u{301}]{0,80}", size in 1_usize..20, words in any::<bool>()) {
            let unit = if words { Unit::Word } else { Unit::Char };
            let found = chunks(&text, size, 0, unit.clone());
            prop_assert_eq!(found.concat(), &*text);
            for piece in &found {
                let length = match unit {
                    Unit::Word => piece.unicode_words().count(),
                    _ => piece.chars().count(),
                };
                // A word that is cut in a place where it has none alone may fall into two.
                prop_assert!(!piece.is_empty() && length <= size + usize::from(words), "{piece:?}");
            }
        }

        #[test]
        fn with_overlap_every_piece_goes_on(text in "[a-z .\\n漢]{0,80}", size in 2_usize..20, overlap in 0_usize..19) {
            let overlap = overlap.min(size - 1);
            let size = NonZeroUsize::new(size).expect("at least 2");
            let (mut start, mut end) = (None, 0);
            for_each_chunk(&text, &Cut { size, overlap, unit: Unit::Char }, |span| {
                assert!(start.is_none_or(|start| span.start > start) && span.start <= end && span.end > end, "{span:?}");
                (start, end) = (Some(span.start), span.end);
            });
            prop_assert_eq!(end, text.len());
        }
    }
}
