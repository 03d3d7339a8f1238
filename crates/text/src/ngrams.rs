//! N-grams of tokens and of characters.

use std::num::NonZeroUsize;

use super::tokenizers::{Span, Tokenizer};
use super::white_space::is_space;

/// Writes the tokens into `text`, a space between two, and where each run of `min` to `max` of them lies into `spans`.
///
/// Shorter runs come first, those of one length in the order of the tokens: scikit-learn's order.
pub fn ngrams<'a>(
    tokens: impl Iterator<Item = &'a str>,
    min: NonZeroUsize,
    max: NonZeroUsize,
    text: &mut String,
    spans: &mut Vec<Span>,
) {
    let mut places = Vec::new();
    for token in tokens {
        if !places.is_empty() {
            text.push(' ');
        }
        places.push(Span::new(text.len(), token.len()));
        text.push_str(token);
    }
    for length in min.get()..=max.get().min(places.len()) {
        spans.extend(places.windows(length).map(|run| Span {
            start: run[0].start,
            end: run[length - 1].end,
        }));
    }
}

/// Cuts a text into every run of so many code points; a shorter text has none.
///
/// A run of two or more white-space characters counts as one space, as in scikit-learn's `analyzer='char'`.
#[derive(Debug)]
pub struct CharNgrams(pub NonZeroUsize);

impl Tokenizer for CharNgrams {
    fn cut<'a>(&self, text: &'a str, buffer: &'a mut String, spans: &mut Vec<Span>) -> &'a str {
        let mut spaces = text.chars().map(is_space);
        let mut before = false;
        let doubled = spaces.any(|space| std::mem::replace(&mut before, space) && space);
        let cut: &'a str = if doubled {
            buffer.clear();
            join_spaces(text, buffer);
            buffer
        } else {
            text
        };
        let starts = || cut.char_indices().map(|(start, _)| start);
        let ends = starts().skip(self.0.get()).chain([cut.len()]);
        if cut.chars().nth(self.0.get() - 1).is_some() {
            spans.extend(
                starts()
                    .zip(ends)
                    .map(|(start, end)| Span::new(start, end - start)),
            );
        }
        cut
    }
}

/// Appends `text` with one space for every run of two or more white-space characters; a single one stays what it is.
pub(super) fn join_spaces(text: &str, out: &mut String) {
    let mut rest = text;
    while let Some(start) = rest.find(is_space) {
        let run = &rest[start..];
        let behind = run.trim_start_matches(is_space);
        let space = &run[..run.len() - behind.len()];
        out.push_str(&rest[..start]);
        out.push_str(if space.chars().nth(1).is_some() {
            " "
        } else {
            space
        });
        rest = behind;
    }
    out.push_str(rest);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::tokenizers::tokens;
    use super::*;

    fn count(n: usize) -> NonZeroUsize {
        NonZeroUsize::new(n).expect("at least 1")
    }

    fn check(words: &str, min: usize, max: usize, expected: &[&str]) {
        let (mut text, mut spans) = (String::new(), Vec::new());
        ngrams(
            words.split_whitespace(),
            count(min),
            count(max),
            &mut text,
            &mut spans,
        );
        let found: Vec<_> = spans.iter().map(|span| &text[span.range()]).collect();
        assert_eq!(found, expected, "{words:?}");
    }

    fn check_chars(text: &str, n: usize, expected: &[&str]) {
        assert_eq!(tokens(&CharNgrams(count(n)), text), expected, "{text:?}");
    }

    #[test]
    fn shorter_runs_come_first() {
        check("to be or", 1, 2, &["to", "be", "or", "to be", "be or"]);
    }

    #[test]
    fn too_few_tokens_have_no_run() {
        check("to be", 3, 4, &[]);
        check("", 1, 1, &[]);
    }

    #[test]
    fn characters_are_code_points() {
        check_chars("é漢字", 2, &["é漢", "漢字"]);
        check_chars("ab", 3, &[]);
        check_chars("", 1, &[]);
    }

    #[test]
    fn white_space_is_one_space_where_it_is_more_than_one() {
        check_chars("a \n\tb", 2, &["a ", " b"]);
        check_chars("a\nb", 2, &["a\n", "\nb"]);
    }

    proptest! {
        #[test]
        fn there_are_as_many_runs_as_starts(words in prop::collection::vec("[a-c]{1,3}", 0..9), n in 1_usize..5) {
            let (mut text, mut spans) = (String::new(), Vec::new());
            ngrams(words.iter().map(String::as_str), count(n), count(n), &mut text, &mut spans);
            prop_assert_eq!(spans.len(), (words.len() + 1).saturating_sub(n));
            for (start, span) in spans.iter().enumerate() {
                prop_assert_eq!(&text[span.range()], words[start..start + n].join(" "));
            }
        }
    }
}
