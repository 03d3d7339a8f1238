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
        spans.extend(
            text.unicode_word_indices()
                .map(|(start, word)| Span::new(start, word.len())),
        );
        text
    }
}

#[cfg(test)]
mod tests {
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
}
