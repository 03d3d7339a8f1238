//! `'char'`: extended grapheme clusters.

use unicode_segmentation::UnicodeSegmentation;

use super::{Span, Tokenizer};

/// Cuts a text into its extended grapheme clusters (UAX #29), white space included.
#[derive(Debug)]
pub struct Char;

impl Tokenizer for Char {
    fn cut<'a>(&self, text: &'a str, _: &'a mut String, spans: &mut Vec<Span>) -> &'a str {
        spans.extend(
            text.grapheme_indices(true)
                .map(|(start, cluster)| Span::new(start, cluster.len())),
        );
        text
    }
}

#[cfg(test)]
mod tests {
    use super::super::tokens;
    use super::*;

    #[test]
    fn clusters_stay_whole() {
        assert_eq!(
            tokens(&Char, "e\u{301}👩‍👩‍👧🇩🇪\r\n"),
            ["e\u{301}", "👩‍👩‍👧", "🇩🇪", "\r\n"]
        );
    }
}
