//! `'whitespace'`: runs of characters between white space.

use super::{Span, Tokenizer};

/// Cuts a text at Unicode white space (the property `White_Space`).
#[derive(Debug)]
pub struct Whitespace;

impl Tokenizer for Whitespace {
    fn cut<'a>(&self, text: &'a str, _: &'a mut String, spans: &mut Vec<Span>) -> &'a str {
        let origin = text.as_ptr().addr();
        spans.extend(
            text.split_whitespace()
                .map(|token| Span::new(token.as_ptr().addr() - origin, token.len())),
        );
        text
    }
}

#[cfg(test)]
mod tests {
    use super::super::tokens;
    use super::*;

    #[test]
    fn punctuation_stays_with_its_word() {
        assert_eq!(
            tokens(&Whitespace, " To be,\u{3000}or\u{a0}not! "),
            ["To", "be,", "or", "not!"]
        );
    }
}
