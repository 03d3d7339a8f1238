//! Part-of-speech tagger: words and their tags.

use std::cell::RefCell;
use std::sync::Arc;

use super::hidden_markov::{HiddenMarkov, Position, position};
use super::hidden_states::HiddenStates;
use crate::tokenizers::jieba::Dictionary;

/// The tag of what nobody knows.
const UNKNOWN: &str = "x";
/// The tag of letters and digits.
const FOREIGN: &str = "eng";
/// The tag of numbers.
const NUMBER: &str = "m";

thread_local! {
    static STATES: RefCell<HiddenStates> = RefCell::default();
}

/// Cuts a Chinese text into words with their parts of speech, as jieba.posseg 0.42.1 does.
#[derive(Debug, Clone)]
pub struct PosTagger {
    dictionary: Arc<Dictionary>,
    hmm: bool,
}

impl PosTagger {
    /// Returns a tagger by this dictionary; `hmm` finds words and tags of characters that it does not know.
    pub fn new(dictionary: Arc<Dictionary>, hmm: bool) -> Self {
        Self { dictionary, hmm }
    }

    /// Returns a tagger by jieba's own dictionary, with the hidden Markov model.
    pub fn built_in() -> Self {
        Self::new(Dictionary::built_in(), true)
    }

    /// Calls `each` with every token and its tag, in order; the tokens concatenate to the text.
    ///
    /// Tags are jieba's: `n` a noun, `v` a verb, `m` a number, `eng` letters, `x` what is none of them, and so on; the
    /// dictionary's words have those that it gives them. The first call loads the model, two megabytes. Texts are cut a
    /// part of 1 MiB at a time.
    pub fn for_each<'a>(&'a self, text: &'a str, mut each: impl FnMut(&'a str, &'a str)) {
        for part in self.dictionary.parts(text) {
            self.part(&text[part], &mut each);
        }
    }

    fn part<'a>(&'a self, part: &'a str, each: &mut impl FnMut(&'a str, &'a str)) {
        let mut rest = part;
        while let Some(first) = rest.chars().next() {
            if is_word_character(first) {
                let end = rest.find(|character| !is_word_character(character));
                let (block, behind) = rest.split_at(end.unwrap_or(rest.len()));
                if self.hmm {
                    self.block(block, each);
                } else {
                    self.block_by_dictionary(block, each);
                }
                rest = behind;
            } else {
                let is_line_break = rest.starts_with("\r\n");
                let length = if is_line_break { 2 } else { first.len_utf8() };
                let (token, behind) = rest.split_at(length);
                each(token, UNKNOWN);
                rest = behind;
            }
        }
    }

    /// Tags the words of a block that are in the dictionary, and runs of letters and digits.
    fn block_by_dictionary<'a>(&'a self, block: &'a str, each: &mut impl FnMut(&'a str, &'a str)) {
        self.dictionary.for_each_word(block, |word, tag| {
            let is_single = word.chars().nth(1).is_none();
            let tag = if is_alphanumeric(word) && (is_single || self.is_run(word)) {
                FOREIGN
            } else if is_single && !self.dictionary.has_word(word) {
                UNKNOWN
            } else {
                tag
            };
            each(word, tag);
        });
    }

    /// Tags the words of a block that are in the dictionary, and what the model finds between them.
    fn block<'a>(&'a self, block: &'a str, each: &mut impl FnMut(&'a str, &'a str)) {
        // What lies between two words: where it starts, how many characters it has, and the tag of the last.
        let (mut start, mut end, mut characters, mut last) = (0, 0, 0, UNKNOWN);
        self.dictionary.for_each_word(block, |word, tag| {
            let count = match word.chars().count() {
                1 => 1,
                _ if self.is_run(word) => word.len(),
                _ => 0,
            };
            end += word.len();
            characters += count;
            if count == 0 {
                self.between(&block[start..end - word.len()], characters, last, each);
                each(word, tag);
                (start, characters) = (end, 0);
            } else {
                last = tag;
            }
        });
        self.between(&block[start..], characters, last, each);
    }

    /// Tells whether these are letters and digits that the dictionary leaves apart.
    fn is_run(&self, word: &str) -> bool {
        is_alphanumeric(word) && !self.dictionary.has(word)
    }

    /// Tags characters that are no word together.
    fn between<'a>(
        &'a self,
        run: &'a str,
        characters: usize,
        last: &'a str,
        each: &mut impl FnMut(&'a str, &'a str),
    ) {
        match characters {
            0 => {}
            1 if self.dictionary.has_word(run) => each(run, last),
            1 => each(run, UNKNOWN),
            _ if self.dictionary.has(run) => {
                for (at, character) in run.char_indices() {
                    let character = &run[at..at + character.len_utf8()];
                    each(character, self.dictionary.tag(character));
                }
            }
            _ => {
                let mut rest = run;
                while let Some(first) = rest.chars().next() {
                    let is_chinese = !first.is_ascii();
                    let end = rest.find(|other: char| other.is_ascii() == is_chinese);
                    let (part, behind) = rest.split_at(end.unwrap_or(rest.len()));
                    if is_chinese {
                        chinese(part, each);
                    } else {
                        foreign(part, each);
                    }
                    rest = behind;
                }
            }
        }
    }
}

/// Tags the words that the model finds in Chinese characters.
fn chinese<'a>(part: &'a str, each: &mut impl FnMut(&'a str, &'a str)) {
    let model = HiddenMarkov::built_in();
    STATES.with_borrow_mut(|found| {
        let mut rest = part;
        while !rest.is_empty() {
            let states = found.find(model, rest.chars());
            // Where the word that is under way begins, and what is written.
            let (mut begin, mut written) = (0, 0);
            let mut characters = rest.char_indices();
            let mut end = 0;
            for (state, (at, character)) in states.iter().zip(&mut characters) {
                end = at + character.len_utf8();
                let start = match position(*state) {
                    Position::Begin => {
                        begin = at;
                        continue;
                    }
                    Position::Middle => continue,
                    Position::End => begin,
                    Position::Single => at,
                };
                each(&rest[start..end], model.tag(*state));
                written = end;
            }
            if written < end {
                let first = rest[..written].chars().count();
                each(&rest[written..end], model.tag(states[first]));
            }
            rest = &rest[end..];
        }
        found.release_if_huge();
    });
}

/// Tags numbers, words of letters and digits, and what stands between them.
fn foreign<'a>(part: &'a str, each: &mut impl FnMut(&'a str, &'a str)) {
    let is_number = |byte: &u8| matches!(byte, b'.' | b'0'..=b'9');
    let mut rest = part;
    while let Some(first) = rest.as_bytes().first() {
        let (length, tag) = if is_number(first) {
            (run(rest, is_number), NUMBER)
        } else if first.is_ascii_alphanumeric() {
            (run(rest, u8::is_ascii_alphanumeric), FOREIGN)
        } else {
            let is_neither = |byte: &u8| !byte.is_ascii_alphanumeric() && *byte != b'.';
            (run(rest, is_neither), UNKNOWN)
        };
        let (token, behind) = rest.split_at(length);
        each(token, tag);
        rest = behind;
    }
}

/// Returns how many bytes at the start of a text are `of` this class.
fn run(text: &str, of: impl Fn(&u8) -> bool) -> usize {
    let end = text.bytes().position(|byte| !of(&byte));
    end.unwrap_or(text.len())
}

fn is_alphanumeric(word: &str) -> bool {
    word.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// Tells whether posseg looks a character up: `[\u4E00-\u9FD5a-zA-Z0-9+#&._]`.
fn is_word_character(character: char) -> bool {
    match character {
        '\u{4e00}'..='\u{9fd5}' => true,
        '+' | '#' | '&' | '.' | '_' => true,
        _ => character.is_ascii_alphanumeric(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(tagger: &PosTagger, text: &str) -> String {
        let mut shown = Vec::new();
        tagger.for_each(text, |token, tag| shown.push(format!("{token}/{tag}")));
        shown.join(" ")
    }

    fn check(text: &str, expected: &str, without_hmm: &str) {
        assert_eq!(shown(&PosTagger::built_in(), text), expected, "{text}");
        let tagger = PosTagger::new(Dictionary::built_in(), false);
        assert_eq!(shown(&tagger, text), without_hmm, "{text} without HMM");
    }

    // What is expected is what jieba.posseg says.
    #[test]
    fn words_of_the_dictionary_have_its_tags() {
        check(
            "我爱北京天安门",
            "我/r 爱/v 北京/ns 天安门/ns",
            "我/r 爱/v 北京/ns 天安门/ns",
        );
        check("喜欢B超", "喜欢/v B超/n", "喜欢/v B超/n");
    }

    #[test]
    fn the_model_finds_words_and_tags_between_them() {
        check("杭研院的", "杭研院/nt 的/uj", "杭/nr 研/vn 院/n 的/uj");
    }

    #[test]
    fn letters_and_numbers_have_tags_of_their_own() {
        check(
            "github.com 3.5%",
            "github/eng ./m com/eng  /x 3.5/m %/x",
            "github/eng ./x com/eng  /x 3/eng ./x 5/eng %/x",
        );
        check(
            "的GPU_v1.5abc",
            "的/uj GPU/eng _/x v1/eng .5/m abc/eng",
            "的/uj GPU/eng _/x v1/eng ./x 5abc/eng",
        );
        // A letter that stands alone is a word that nobody knows.
        check("中文A", "中文/nz A/x", "中文/nz A/eng");
    }

    #[test]
    fn what_is_none_of_them_is_x_character_by_character() {
        check("", "", "");
        check(
            "龘齉\r\n。",
            "龘/x 齉/zg \r\n/x 。/x",
            "龘/x 齉/zg \r\n/x 。/x",
        );
    }

    #[test]
    fn words_of_the_users_have_the_last_tag_that_they_were_given() {
        let words = [("云原生", None, None), ("平台", None, Some("vn"))];
        let dictionary = Dictionary::built_in().with(words).expect("two words more");
        let tagger = PosTagger::new(Arc::new(dictionary.clone()), true);
        assert_eq!(shown(&tagger, "云原生平台"), "云原生/x 平台/vn");
        let dictionary = dictionary.with([
            ("云原生", Some(10), Some("n")),
            ("平台", Some(10_000), None),
        ]);
        let tagger = PosTagger::new(Arc::new(dictionary.expect("the same words")), true);
        assert_eq!(shown(&tagger, "云原生平台"), "云原生/n 平台/vn");
    }

    proptest! {
        #[test]
        fn tokens_concatenate_to_the_text(text in "\\PC*|[a-z \\r\\n漢字中国人民大学龘齉0-9._%+-]*|[一-鿕]*") {
            for hmm in [true, false] {
                let tagger = PosTagger::new(Dictionary::built_in(), hmm);
                let mut tokens = String::new();
                tagger.for_each(&text, |token, tag| {
                    assert!(!token.is_empty() && !tag.is_empty());
                    tokens.push_str(token);
                });
                prop_assert_eq!(&tokens, &text);
            }
        }
    }
}
