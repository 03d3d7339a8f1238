//! `'jieba'`, `'jieba_search'`, `'jieba_all'`: Chinese words by dictionary.

mod additions;
mod cutter;
mod dictionary;
mod hidden_markov;
mod path;
mod words;

use std::ops::Range;
use std::sync::Arc;

use self::cutter::Cutter;
pub use self::dictionary::{Dictionary, Word};
use self::path::Path;
pub use self::words::TooManyWords;
use super::{Span, Tokenizer};
use crate::pos_tags::PosTagger;

/// What becomes of the words inside a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// The most probable words, one after another.
    Exact,
    /// Before a word of three or more characters, the words of two and three characters in it.
    Search,
    /// Every word of the dictionary that stands in the text.
    All,
}

/// Cuts as jieba does: a dictionary's most probable path, and a hidden Markov model for what it does not know.
///
/// Agrees with jieba 0.42.1 (`cut`, `cut_for_search`, `cut(cut_all=True)` without its empty strings). White space and
/// punctuation are tokens of one character, as they are there. In [`Mode::Search`] and [`Mode::All`] spans may overlap.
#[derive(Debug, Clone)]
pub struct Jieba {
    dictionary: Arc<Dictionary>,
    mode: Mode,
    hmm: bool,
}

impl Jieba {
    /// Returns a tokenizer by this dictionary; `hmm` joins unknown characters into words ([`Mode::All`] never does).
    pub fn new(dictionary: Arc<Dictionary>, mode: Mode, hmm: bool) -> Self {
        Self {
            dictionary,
            mode,
            hmm,
        }
    }

    /// Returns a tokenizer by jieba's own dictionary, with the hidden Markov model.
    pub fn built_in(mode: Mode) -> Self {
        Self::new(Dictionary::built_in(), mode, true)
    }

    /// Calls `each` with the places of the most probable words, in order.
    fn exact(&self, text: &str, mut each: impl FnMut(usize, usize)) {
        Cutter::lend(|cutter| {
            for part in self.dictionary.parts(text) {
                cutter.cut(
                    &self.dictionary,
                    text,
                    part,
                    self.hmm,
                    &mut |from, to, _| each(from, to),
                );
            }
        });
    }

    /// Adds the words inside a word, then the word.
    fn search(
        &self,
        text: &str,
        starts: &mut Vec<usize>,
        span: Range<usize>,
        spans: &mut Vec<Span>,
    ) {
        starts.clear();
        starts.extend(
            text[span.clone()]
                .char_indices()
                .map(|(at, _)| span.start + at),
        );
        let characters = starts.len();
        starts.push(span.end);
        for length in [2, 3] {
            if characters > length {
                for gram in starts.windows(length + 1) {
                    let gram = gram[0]..gram[length];
                    if self.dictionary.has(&text[gram.clone()]) {
                        spans.push(Span::new(gram.start, gram.len()));
                    }
                }
            }
        }
        spans.push(Span::new(span.start, span.len()));
    }

    /// Adds every word of the dictionary in a block of word characters, as jieba's full mode finds them.
    fn all(&self, text: &str, block: Range<usize>, path: &mut Path, spans: &mut Vec<Span>) {
        path.clear();
        for (at, character) in text[block.clone()].char_indices() {
            path.push(&self.dictionary, block.start + at, character);
        }
        path.end(block.end);
        let mut push = |range: Range<usize>| spans.push(Span::new(range.start, range.len()));
        // The end of the last word, and the run of letters and digits that is not written yet.
        let (mut behind, mut run) = (0, None::<Range<usize>>);
        for at in 0..path.len() {
            let start = path.start(at);
            let starts_alphanumeric = text.as_bytes()[start].is_ascii_alphanumeric();
            if !starts_alphanumeric && let Some(run) = run.take() {
                push(run);
            }
            let (mut words, mut only) = (0, at + 1);
            path.for_each_word(&self.dictionary, at, |end| {
                words += 1;
                only = end;
            });
            // A character that begins no word is a word.
            if words <= 1 && at >= behind {
                let word = start..path.start(only);
                if starts_alphanumeric {
                    run = Some(run.map_or(word.start, |run| run.start)..word.end);
                } else {
                    push(word);
                }
                behind = only;
            } else {
                path.for_each_word(&self.dictionary, at, |end| {
                    if end > at + 1 {
                        push(start..path.start(end));
                        behind = end;
                    }
                });
            }
        }
        if let Some(run) = run {
            push(run);
        }
    }

    /// Returns what gives words their parts of speech by the same dictionary.
    pub fn pos_tagger(&self) -> PosTagger {
        PosTagger::new(Arc::clone(&self.dictionary), self.hmm)
    }
}

impl Tokenizer for Jieba {
    fn cut<'a>(&self, text: &'a str, _: &'a mut String, spans: &mut Vec<Span>) -> &'a str {
        match self.mode {
            Mode::Exact => self.exact(text, |from, to| spans.push(Span::new(from, to - from))),
            Mode::Search => {
                let mut starts = Vec::new();
                self.exact(text, |from, to| {
                    self.search(text, &mut starts, from..to, spans);
                });
            }
            Mode::All => Cutter::lend(|cutter| {
                for_each_block(text, |block, kind| match kind {
                    Block::Words => self.all(text, block, &mut cutter.path, spans),
                    Block::Other => spans.push(Span::new(block.start, block.len())),
                });
            }),
        }
        text
    }
}

/// Calls `each` with the pieces of an unknown token: `[a-zA-Z0-9]+(\.[0-9]+)?%?`, and what stands between them.
fn for_each_piece(token: &str, mut each: impl FnMut(Range<usize>)) {
    let bytes = token.as_bytes();
    let (mut at, mut between) = (0, 0);
    while at < bytes.len() {
        if !bytes[at].is_ascii_alphanumeric() {
            at += 1;
            continue;
        }
        if between < at {
            each(between..at);
        }
        let mut end = run(bytes, at, u8::is_ascii_alphanumeric);
        if bytes.get(end) == Some(&b'.') {
            let fraction = run(bytes, end + 1, u8::is_ascii_digit);
            end = if fraction > end + 1 { fraction } else { end };
        }
        end += usize::from(bytes.get(end) == Some(&b'%'));
        each(at..end);
        (at, between) = (end, end);
    }
    if between < at {
        each(between..at);
    }
}

/// Returns the first place from `at` whose byte is not `of` this class.
fn run(bytes: &[u8], at: usize, of: impl Fn(&u8) -> bool) -> usize {
    bytes[at.min(bytes.len())..]
        .iter()
        .position(|byte| !of(byte))
        .map_or(bytes.len(), |length| at + length)
}

/// What a block of a text holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Block {
    /// Characters that jieba looks up.
    Words,
    /// A character of white space (`\r\n` is one), or a run of anything else.
    Other,
}

/// Calls `each` with the blocks of a text, in order.
fn for_each_block(text: &str, mut each: impl FnMut(Range<usize>, Block)) {
    let mut characters = text.char_indices().peekable();
    while let Some((start, first)) = characters.next() {
        let kind = class(first);
        let mut end = start + first.len_utf8();
        let goes_on = |next: char| match kind {
            Class::Space => first == '\r' && next == '\n',
            kind => class(next) == kind,
        };
        while let Some((at, next)) = characters.next_if(|(_, next)| goes_on(*next)) {
            end = at + next.len_utf8();
            if kind == Class::Space {
                break;
            }
        }
        let block = if kind == Class::Word {
            Block::Words
        } else {
            Block::Other
        };
        each(start..end, block);
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Word,
    Space,
    Other,
}

/// Tells whether a character is in no block of words.
fn is_between_blocks(character: char) -> bool {
    class(character) != Class::Word
}

/// Returns the class of a character by jieba's patterns.
fn class(character: char) -> Class {
    match character {
        '\u{4e00}'..='\u{9fd5}' => Class::Word,
        'a'..='z' | 'A'..='Z' | '0'..='9' => Class::Word,
        '+' | '#' | '&' | '.' | '_' | '%' | '-' => Class::Word,
        // Python's `\s` counts the four separators of ASCII as white space.
        '\u{1c}'..='\u{1f}' => Class::Space,
        _ if character.is_whitespace() => Class::Space,
        _ => Class::Other,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use proptest::prelude::*;

    use super::super::tokens;
    use super::*;

    fn check(mode: Mode, text: &str, expected: &[&str]) {
        assert_eq!(tokens(&Jieba::built_in(mode), text), expected, "{text:?}");
    }

    #[test]
    fn the_three_modes_differ_in_the_words_inside_words() {
        check(
            Mode::Exact,
            "他来到北京清华大学",
            &["他", "来到", "北京", "清华大学"],
        );
        check(
            Mode::Search,
            "他来到北京清华大学",
            &["他", "来到", "北京", "清华", "华大", "大学", "清华大学"],
        );
        check(
            Mode::All,
            "他来到北京清华大学",
            &["他", "来到", "北京", "清华", "清华大学", "华大", "大学"],
        );
    }

    #[test]
    fn a_long_text_is_cut_in_parts_as_it_is_at_once() {
        let dictionary = Dictionary::built_in();
        let jieba = Jieba::built_in(Mode::Exact);
        for piece in [
            "他来到北京清华大学，云原生平台3.14%\r\n",
            "他来到北京清华大学",
            "他来到github3.14%",
        ] {
            let (part, size) = (1 << 20, piece.len());
            // Ends of all sorts behind the first part, too: whole words of them are looked for.
            for repeats in [3_000_000 / size, part / size + 1, part / size + 2] {
                let long = piece.repeat(repeats);
                let parts: Vec<_> = dictionary.parts(&long).collect();
                assert!(parts.len() > 1 && parts.iter().all(|found| found.len() <= part));
                let joined: String = parts.iter().map(|found| &long[found.clone()]).collect();
                assert!(joined == long);
                let (once, all) = (tokens(&jieba, piece), tokens(&jieba, &long));
                assert_eq!(all.len(), once.len() * repeats, "{piece}");
                for (at, token) in all.iter().enumerate() {
                    assert_eq!(*token, once[at % once.len()], "{at}");
                }
            }
        }
        let digits = "0123456789abcdef".repeat(1 << 17);
        assert_eq!(dictionary.parts(&digits).count(), 2);
        assert_eq!(dictionary.parts("").count(), 0);
    }

    proptest! {
        #[test]
        fn texts_are_cut_as_jieba_rs_cuts_them(
            text in "([他来到北京清华大学的是不了一个中国人民王小明龘，。a-c1-2 \r\n]|[一-鿕])*",
            hmm: bool,
        ) {
            static JIEBA: LazyLock<jieba_rs::Jieba> = LazyLock::new(jieba_rs::Jieba::new);
            let jieba = Jieba::new(Dictionary::built_in(), Mode::Exact, hmm);
            let cut = JIEBA.cut(&text, hmm);
            let expected: Vec<_> = cut.iter().map(|token| token.word.to_owned()).collect();
            prop_assert_eq!(tokens(&jieba, &text), expected);
        }
    }

    #[test]
    fn compounds_that_no_dictionary_knows_are_cut() {
        check(Mode::Exact, "github.com", &["github", ".", "com"]);
        check(Mode::Exact, "a_b", &["a", "_", "b"]);
        check(Mode::Exact, "3.14%", &["3.14%"]);
    }

    #[test]
    fn a_word_of_the_users_stays_whole_and_one_of_frequency_0_falls_apart() {
        let dictionary = Dictionary::built_in().with([("云原生", None, None)]);
        let dictionary = dictionary.expect("one word more");
        let jieba = Jieba::new(Arc::new(dictionary.clone()), Mode::Exact, true);
        assert_eq!(tokens(&jieba, "云原生平台"), ["云原生", "平台"]);
        let dictionary = dictionary.with([("平台", Some(0), None)]);
        let jieba = Jieba::new(Arc::new(dictionary.expect("one more")), Mode::Search, false);
        assert_eq!(tokens(&jieba, "云原生平台"), ["原生", "云原生", "平", "台"]);
    }

    #[test]
    fn without_a_word_each_character_is_a_token() {
        let jieba = Jieba::new(Arc::new(Dictionary::empty()), Mode::Exact, false);
        assert_eq!(tokens(&jieba, "清华大学"), ["清", "华", "大", "学"]);
    }

    #[test]
    fn the_longest_word_of_the_dictionary_is_found() {
        let all = tokens(
            &Jieba::built_in(Mode::All),
            "第九届全国人民代表大会常务委员会",
        );
        assert!(
            all.contains(&"第九届全国人民代表大会常务委员会".to_owned()),
            "{all:?}"
        );
    }
}
