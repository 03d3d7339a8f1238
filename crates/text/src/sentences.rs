//! Sentence segmentation (UAX #29).

use unicode_segmentation::UnicodeSegmentation;

use super::tokenizers::{Span, Tokenizer};

/// Cuts a text into sentences (UAX #29), without the white space around them; blank ones are left out.
#[derive(Debug)]
pub struct SentenceBounds;

impl Tokenizer for SentenceBounds {
    fn cut<'a>(&self, text: &'a str, _: &'a mut String, spans: &mut Vec<Span>) -> &'a str {
        for (start, sentence) in text.split_sentence_bound_indices() {
            let trimmed = sentence.trim_start();
            let start = start + sentence.len() - trimmed.len();
            let length = trimmed.trim_end().len();
            if length > 0 {
                spans.push(Span::new(start, length));
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tokenizers::tokens;

    fn check(text: &str, expected: &[&str]) {
        assert_eq!(tokens(&SentenceBounds, text), expected, "{text:?}");
    }

    #[test]
    fn a_sentence_ends_at_its_mark() {
        check("Is it? Yes!  It is.", &["Is it?", "Yes!", "It is."]);
    }

    #[test]
    fn a_full_stop_before_lower_case_ends_nothing() {
        check("See fig. 3 or e.g. this.", &["See fig. 3 or e.g. this."]);
    }

    #[test]
    fn a_line_ends_a_sentence() {
        check("One\nTwo\n\n", &["One", "Two"]);
    }

    #[test]
    fn ideographic_full_stops_count() {
        check("你好。再见！", &["你好。", "再见！"]);
    }

    #[test]
    fn a_blank_text_has_none() {
        check(" \n ", &[]);
    }
}
