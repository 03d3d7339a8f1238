//! `'word'`: the words of a text.

use unicode_segmentation::UnicodeSegmentation;

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
        while let Some(ascii) = bytes[at..].iter().position(|byte| !byte.is_ascii()) {
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

const LETTER: u8 = 1;
const DIGIT: u8 = 2;
/// What joins whatever stands beside it.
const EXTEND: u8 = 4;
/// What joins two letters.
const MID_LETTER: u8 = 8;
/// What joins two digits.
const MID_NUMBER: u8 = 16;

/// What each byte of ASCII is by the rules of words.
const CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut byte = 0;
    while byte < 128 {
        classes[byte] = match byte as u8 {
            b'A'..=b'Z' | b'a'..=b'z' => LETTER,
            b'0'..=b'9' => DIGIT,
            b'_' => EXTEND,
            b':' => MID_LETTER,
            b',' | b';' => MID_NUMBER,
            b'.' | b'\'' => MID_LETTER | MID_NUMBER,
            _ => 0,
        };
        byte += 1;
    }
    classes
};

/// Cuts bytes of ASCII into words, of which nothing outside is a part.
fn cut_ascii(bytes: &[u8], from: usize, to: usize, spans: &mut Vec<Span>) {
    const WORD: u8 = LETTER | DIGIT | EXTEND;
    let bytes = &bytes[..to];
    let class = |at: usize| bytes.get(at).map_or(0, |byte| CLASSES[*byte as usize]);
    let mut at = from;
    while at < to {
        let start = at;
        let mut seen = 0;
        loop {
            let mut last = 0;
            while class(at) & WORD != 0 {
                last = class(at);
                seen |= last;
                at += 1;
            }
            // Rules 6, 7, 11 and 12: what stands between two letters, or two digits, joins them.
            let (middle, next) = (class(at), class(at + 1));
            let joins = |by: u8, both: u8| middle & by != 0 && last & next & both != 0;
            if !joins(MID_LETTER, LETTER) && !joins(MID_NUMBER, DIGIT) {
                break;
            }
            at += 1;
        }
        if seen & (LETTER | DIGIT) != 0 {
            spans.push(Span::new(start, at - start));
        }
        // What ends a word begins none, unless it is the end.
        at += 1;
    }
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
            text in "\\PC*|[ab1_.:;,' \\n\\t\"-]*|([ab1_.:;,' \\n\\r]{0,6}[é漢か\u{301}\u{200d}\u{915}\u{94d}\u{5d0}🇩👍·’\u{a0}\u{2028}]?){0,8}"
        ) {
            let expected: Vec<_> = text.unicode_words().collect();
            prop_assert_eq!(tokens(&Word, &text), expected);
        }
    }
}
