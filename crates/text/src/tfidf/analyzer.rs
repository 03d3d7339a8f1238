//! Analyzer: the terms of a text.

use std::borrow::Cow;
use std::num::NonZeroUsize;
use std::sync::Arc;

use hashbrown::HashSet;

use crate::accents::{strip_accents, strip_to_ascii};
use crate::lower_case::to_lowercase;
use crate::ngrams::{join_spaces, ngrams};
use crate::tokenizers::{Span, Tokenizer};
use crate::white_space::between_spaces;

/// Accent stripping before a text is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accents {
    /// What does not decompose into ASCII goes too.
    Ascii,
    /// Combining marks go, every script stays.
    Unicode,
}

/// Units that terms are made of.
#[derive(Debug, Clone)]
pub enum Pieces {
    /// Runs of words: the tokenizer's, or the tokens that are given where there is none; stop words go first.
    Words {
        /// What cuts a text.
        tokenizer: Option<Arc<dyn Tokenizer>>,
        /// Stop words, compared as they stand.
        stop_words: HashSet<String>,
    },
    /// Runs of code points; two or more white-space characters count as one space.
    Chars,
    /// Runs of code points inside a word with a space on either side.
    CharsInWords,
}

/// Makes the terms of a text as scikit-learn's `CountVectorizer` does: lower case, accents, pieces, runs of them.
#[derive(Debug, Clone)]
pub struct Analyzer {
    /// Whether texts are put into lower case first.
    pub lowercase: bool,
    /// Whether accents are taken away then.
    pub accents: Option<Accents>,
    /// What is cut.
    pub pieces: Pieces,
    /// The shortest run of pieces that is a term.
    pub min: NonZeroUsize,
    /// The longest.
    pub max: NonZeroUsize,
}

/// Scratch buffers of an analyzer, reused for every text.
#[derive(Debug, Default)]
pub struct Buffers {
    lower: String,
    plain: String,
    cut: String,
    joined: String,
    spans: Vec<Span>,
    terms: Vec<Span>,
    starts: Vec<usize>,
}

impl Analyzer {
    /// Calls `each` with every term of a text, as often as it occurs.
    pub fn terms_of_text(&self, text: &str, buffers: &mut Buffers, mut each: impl FnMut(&str)) {
        let Buffers {
            lower,
            plain,
            cut,
            joined,
            spans,
            terms,
            starts,
        } = buffers;
        let mut text = Cow::Borrowed(text);
        if self.lowercase {
            lower.clear();
            to_lowercase(&text, lower);
            text = Cow::Borrowed(lower);
        }
        if let Some(accents) = self.accents.filter(|_| !text.is_ascii()) {
            plain.clear();
            match accents {
                Accents::Ascii => strip_to_ascii(&text, plain),
                Accents::Unicode => strip_accents(&text, plain),
            }
            text = Cow::Borrowed(plain);
        }
        match &self.pieces {
            Pieces::Words {
                tokenizer: Some(tokenizer),
                stop_words,
            } => {
                spans.clear();
                let cut = tokenizer.cut(&text, cut, spans);
                let tokens = spans.iter().map(|span| &cut[span.range()]);
                self.runs(tokens, stop_words, joined, terms, each);
            }
            Pieces::Words {
                tokenizer: None, ..
            } => {}
            Pieces::Chars => {
                joined.clear();
                join_spaces(&text, joined);
                starts.clear();
                starts.extend(joined.char_indices().map(|(at, _)| at));
                starts.push(joined.len());
                let length = starts.len() - 1;
                for n in self.min.get()..=self.max.get().min(length) {
                    for ends in starts.windows(n + 1) {
                        each(&joined[ends[0]..ends[n]]);
                    }
                }
            }
            Pieces::CharsInWords => {
                for word in between_spaces(&text) {
                    joined.clear();
                    joined.extend([" ", word, " "]);
                    starts.clear();
                    starts.extend(joined.char_indices().map(|(at, _)| at));
                    starts.push(joined.len());
                    let length = starts.len() - 1;
                    for n in self.min.get()..=self.max.get() {
                        // A word that is no longer than a run is one, once.
                        if n >= length {
                            each(joined);
                            break;
                        }
                        for ends in starts.windows(n + 1) {
                            each(&joined[ends[0]..ends[n]]);
                        }
                    }
                }
            }
        }
    }

    /// Calls `each` with every term of a text that is cut already; nothing is put into lower case.
    pub fn terms_of_tokens<'a>(
        &self,
        tokens: impl Iterator<Item = &'a str>,
        buffers: &mut Buffers,
        each: impl FnMut(&str),
    ) {
        if let Pieces::Words { stop_words, .. } = &self.pieces {
            self.runs(
                tokens,
                stop_words,
                &mut buffers.joined,
                &mut buffers.terms,
                each,
            );
        }
    }

    fn runs<'a>(
        &self,
        tokens: impl Iterator<Item = &'a str>,
        stop_words: &HashSet<String>,
        joined: &mut String,
        terms: &mut Vec<Span>,
        mut each: impl FnMut(&str),
    ) {
        let tokens = tokens.filter(|token| stop_words.is_empty() || !stop_words.contains(*token));
        if self.max.get() == 1 {
            return tokens.for_each(each);
        }
        joined.clear();
        terms.clear();
        ngrams(tokens, self.min, self.max, joined, terms);
        for term in terms {
            each(&joined[term.range()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tokenizers::SklearnCased;

    fn check(pieces: Pieces, (min, max): (usize, usize), text: &str, expected: &[&str]) {
        let count = |n| NonZeroUsize::new(n).expect("at least 1");
        let analyzer = Analyzer {
            lowercase: true,
            accents: Some(Accents::Unicode),
            pieces,
            min: count(min),
            max: count(max),
        };
        let mut found = Vec::new();
        analyzer.terms_of_text(text, &mut Buffers::default(), |term| {
            found.push(term.to_owned());
        });
        assert_eq!(found, expected, "{text:?}");
    }

    fn words(stop_words: &[&str]) -> Pieces {
        Pieces::Words {
            tokenizer: Some(Arc::new(SklearnCased)),
            stop_words: stop_words.iter().map(|word| (*word).to_owned()).collect(),
        }
    }

    #[test]
    fn stop_words_go_before_runs_are_made() {
        check(
            words(&["the"]),
            (1, 2),
            "Café the Bar",
            &["cafe", "bar", "cafe bar"],
        );
        check(words(&[]), (2, 2), "one", &[]);
    }

    #[test]
    fn runs_of_characters_cross_words_or_stay_in_them() {
        check(Pieces::Chars, (2, 2), "a  bé", &["a ", " b", "be"]);
        check(
            Pieces::CharsInWords,
            (2, 4),
            "a bc",
            &[" a", "a ", " a ", " b", "bc", "c ", " bc", "bc ", " bc "],
        );
        check(Pieces::CharsInWords, (5, 7), "ab", &[" ab "]);
    }
}
