//! `'word'`: words by Unicode word boundaries (UAX #29).

use unicode_segmentation::UnicodeSegmentation;

use super::blocks::{BLOCK, LOWER, Runs, bits, word_bits};
use super::{Span, Tokenizer};

/// Cuts a text at Unicode word boundaries (UAX #29) and keeps the pieces that hold a letter or a digit, case kept.
///
/// Letters are what has the property Alphabetic: with the letters of all scripts, Ⓐ and the vowel signs of Indic
/// scripts, even where one stands alone.
///
/// Scripts that are written without spaces are cut by the same rules: Chinese into single
/// characters, Thai not at all.
#[derive(Debug)]
pub struct Word;

impl Tokenizer for Word {
    fn cut<'a>(&self, text: &'a str, _: &'a mut String, spans: &mut Vec<Span>) -> &'a str {
        let bytes = text.as_bytes();
        let mut at = 0;
        // What lies between spaces that have ASCII on both sides, or a line end, is cut alike wherever it stands.
        while let Some(ascii) = beyond_ascii(&bytes[at..]) {
            let behind = bytes[at..at + ascii].iter().rposition(|byte| *byte == b' ');
            let from = at + behind.unwrap_or(0);
            cut_ascii(bytes, at, from, spans);
            let ahead = bytes[at + ascii..].windows(2).position(is_apart);
            let to = ahead.map_or(bytes.len(), |ahead| at + ascii + ahead);
            let words = text[from..to].unicode_word_indices();
            spans.extend(words.map(|(start, word)| Span::new(from + start, word.len())));
            at = to;
        }
        cut_ascii(bytes, at, bytes.len(), spans);
        text
    }
}

/// Tells whether the first of two bytes is a space that nothing behind it joins: a mark would.
fn is_apart(pair: &[u8]) -> bool {
    pair[0] == b' ' && pair[1].is_ascii()
}

/// Returns where the first byte is that is not ASCII.
fn beyond_ascii(bytes: &[u8]) -> Option<usize> {
    let block = bytes.chunks(BLOCK).position(|block| !block.is_ascii())?;
    let rest = &bytes[block * BLOCK..];
    let place = rest.iter().position(|byte| !byte.is_ascii())?;
    Some(block * BLOCK + place)
}

/// Cuts bytes of ASCII into words, of which nothing outside is a part.
fn cut_ascii(bytes: &[u8], from: usize, to: usize, spans: &mut Vec<Span>) {
    let bytes = &bytes[from..to];
    let mut push = |start: usize, end: usize| {
        // A run that begins otherwise has a letter or a digit.
        let is_word =
            bytes[start] != b'_' || bytes[start..end].iter().any(u8::is_ascii_alphanumeric);
        if is_word {
            spans.push(Span::new(from + start, end - start));
        }
    };
    let mut runs = Runs::default();
    let (blocks, rest) = bytes.as_chunks::<BLOCK>();
    for (number, block) in blocks.iter().enumerate() {
        let base = number * BLOCK;
        runs.add(base, in_words(bytes, base, block), &mut push);
    }
    let mut last = [0; BLOCK];
    last[..rest.len()].copy_from_slice(rest);
    let base = blocks.len() * BLOCK;
    runs.add(base, in_words(bytes, base, &last), &mut push);
    runs.end(bytes.len(), push);
}

/// Returns which bytes of the block at `base` are in words, or in runs of nothing but underscores.
#[inline(always)]
fn in_words(bytes: &[u8], base: usize, block: &[u8; BLOCK]) -> u64 {
    let mut words = word_bits(block, LOWER);
    let mut middles = bits(block, |byte| {
        u8::from(byte == b'.')
            | u8::from(byte == b',')
            | u8::from(byte == b'\'')
            | u8::from(byte == b':')
            | u8::from(byte == b';')
    });
    while middles != 0 {
        let at = middles.trailing_zeros();
        middles &= middles - 1;
        words |= u64::from(joins(bytes, base + at as usize)) << at;
    }
    words
}

/// Tells whether what is no letter and no digit joins those beside it: rules 6, 7, 11 and 12.
#[inline]
fn joins(bytes: &[u8], at: usize) -> bool {
    let Some([before, middle, behind]) =
        at.checked_sub(1).and_then(|start| bytes.get(start..at + 2))
    else {
        return false;
    };
    let are = |is: fn(&u8) -> bool| is(before) && is(behind);
    (matches!(middle, b'.' | b'\'' | b':') && are(u8::is_ascii_alphabetic))
        || (matches!(middle, b'.' | b'\'' | b',' | b';') && are(u8::is_ascii_digit))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::tokens;
    use super::*;

    fn check(text: &str, expected: &[&str]) {
        assert_eq!(tokens(&Word, text), expected, "{text:?}");
    }

    #[test]
    fn punctuation_is_dropped() {
        check("To be, or not!", &["To", "be", "or", "not"]);
    }

    #[test]
    fn apostrophes_and_decimal_points_stay_inside() {
        check("can't pay 3.14", &["can't", "pay", "3.14"]);
    }

    #[test]
    fn ideographs_stand_alone() {
        check("漢字 ok", &["漢", "字", "ok"]);
    }

    #[test]
    fn marks_stay_with_their_letter() {
        check("cafe\u{301} हिन्दी", &["cafe\u{301}", "हिन्दी"]);
    }

    #[test]
    fn emoji_are_no_words() {
        check("👍🏽 ok 🇩🇪", &["ok"]);
    }

    proptest! {
        #[test]
        fn words_are_those_of_unicode_segmentation(
            text in "\\PC*|[ab1_.:;,' \\n\\t\"-]*|[ab1_.:;,' -]{60,200}|([ab1_.:;,' \\n\\r]{0,6}[é漢か\u{301}\u{200d}\u{915}\u{94d}\u{5d0}🇩👍·’\u{a0}\u{2028}]?){0,8}"
        ) {
            let expected: Vec<_> = text.unicode_words().collect();
            prop_assert_eq!(tokens(&Word, &text), expected);
        }
    }
}
