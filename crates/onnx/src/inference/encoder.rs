//! Hugging Face tokenizers: texts to ids, and tokens for `tokenize`.

use std::fmt;

use lexstream_columns::model::{ModelError, TokenIds};
use lexstream_text::tokenizers::{Span, Tokenizer};
use tokenizers::{PostProcessor, TruncationParams, TruncationStrategy, truncate_encodings};

/// What becomes of a text that is longer than a model takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Truncation {
    /// Its end is left out.
    Cut,
    /// It is an error.
    Refuse,
}

/// What a model reads of one text: its tokens without padding, special tokens included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Encoded {
    pub(super) ids: Vec<u32>,
    pub(super) types: Vec<u32>,
}

/// A tokenizer file; its own padding and truncation are left out of account.
pub struct Encoder {
    tokenizer: tokenizers::Tokenizer,
    /// Whether a long text may be cut: what a normalizer does at a text's beginning it would do behind every cut. White
    /// space at its end may be stripped: no part ends in any.
    can_cut: bool,
}

impl fmt::Debug for Encoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Encoder")
            .field("vocabulary", &self.tokenizer.get_vocab_size(true))
            .finish_non_exhaustive()
    }
}

/// Why a text has no encoding.
#[derive(Debug, thiserror::Error)]
pub(super) enum EncodeError {
    /// The tokenizer refuses.
    #[error("a text of {bytes} bytes can't be tokenized")]
    Tokenizer {
        bytes: usize,
        source: tokenizers::Error,
    },
    /// The text is longer than the model takes.
    #[error(
        "a text has {found} tokens, and the model takes {most}; 'truncate' = 'true' leaves out its end"
    )]
    TooLong { found: usize, most: usize },
}

/// Bytes of a text that are tokenised at once, a token of the model's length; more where they hold too few.
const BYTES_A_TOKEN: usize = 8;

/// Bytes of a text that are tokenised together, at least: Hugging Face's encodings take about a hundred times a text.
const PART: usize = 1 << 20;

/// Tokens behind the last one that is kept, so that a cut in the middle of a word is not seen.
const MARGIN: usize = 16;

impl Encoder {
    /// Reads a `tokenizer.json`.
    pub fn new(json: &[u8]) -> Result<Self, ModelError> {
        let mut tokenizer = tokenizers::Tokenizer::from_bytes(json)?;
        tokenizer.with_padding(None);
        tokenizer.with_truncation(None)?;
        let normalizer = serde_json::to_string(&tokenizer.get_normalizer())?;
        let at_beginnings = ["\"type\":\"Prepend\"", "\"strip_left\":true"];
        let can_cut = !at_beginnings.iter().any(|what| normalizer.contains(what));
        Ok(Self { tokenizer, can_cut })
    }

    /// Returns the number behind the largest id of the vocabulary, added tokens included; looks at all of them.
    pub fn ids(&self) -> u64 {
        let ids = self.tokenizer.get_vocab(true).into_values();
        ids.max().map_or(0, |most| u64::from(most) + 1)
    }

    /// Returns the id that pads a run.
    pub(super) fn padding_id(&self) -> u32 {
        ["[PAD]", "<pad>", "<|endoftext|>"]
            .iter()
            .find_map(|token| self.tokenizer.token_to_id(token))
            .unwrap_or(0)
    }

    /// Encodes one text as the model reads it, at most `most` tokens long.
    pub(super) fn encode(
        &self,
        text: &str,
        most: usize,
        truncation: Truncation,
    ) -> Result<Encoded, EncodeError> {
        if truncation == Truncation::Refuse && text.len() > PART {
            let ids = self.whole(text, true)?;
            return match ids.len() {
                found if found > most => Err(EncodeError::TooLong { found, most }),
                found => Ok(Encoded {
                    ids,
                    types: vec![0; found],
                }),
            };
        }
        let encoding = self.beginning(text, most, truncation, true)?;
        let found = encoding.get_ids().len();
        if found > most && truncation == Truncation::Refuse {
            return Err(EncodeError::TooLong { found, most });
        }
        let special = encoding.get_special_tokens_mask();
        let (mut ids, mut types) = (
            encoding.get_ids().to_vec(),
            encoding.get_type_ids().to_vec(),
        );
        if found > most {
            // The special tokens at the end stay, as with truncation before they are added.
            let behind = special
                .iter()
                .rev()
                .take_while(|special| **special == 1)
                .count();
            let end = found - behind;
            let over = (found - most).min(end);
            ids.drain(end - over..end);
            types.drain(end - over..end);
        }
        Ok(Encoded { ids, types })
    }

    /// Returns the ids of a whole text, however long it is.
    fn whole(&self, text: &str, special_tokens: bool) -> Result<Vec<u32>, EncodeError> {
        let encode = |part: &str, special_tokens| {
            let encoding = self.tokenizer.encode_fast(part, special_tokens);
            encoding.map_err(|source| EncodeError::Tokenizer {
                bytes: text.len(),
                source,
            })
        };
        let mut parts = parts(text, self.can_cut);
        let first = encode(parts.next().unwrap_or(""), special_tokens)?;
        let is_special = |mask: &&u32| **mask == 1;
        let mask = first.get_special_tokens_mask().iter();
        // What stands behind the first part stands behind all of them.
        let behind = mask.rev().take_while(is_special).count();
        let mut ids = first.get_ids().to_vec();
        let last = ids.split_off(ids.len() - behind);
        for part in parts {
            ids.extend_from_slice(encode(part, false)?.get_ids());
        }
        ids.extend(last);
        Ok(ids)
    }

    /// Encodes a text, or as much of its beginning as fills the model.
    fn beginning(
        &self,
        text: &str,
        most: usize,
        truncation: Truncation,
        special_tokens: bool,
    ) -> Result<tokenizers::Encoding, EncodeError> {
        let mut bytes = most.saturating_add(MARGIN).saturating_mul(BYTES_A_TOKEN);
        loop {
            let whole = truncation == Truncation::Refuse || bytes >= text.len();
            let part = if whole {
                text
            } else {
                &text[..text.floor_char_boundary(bytes)]
            };
            let encoding = self.tokenizer.encode_fast(part, special_tokens);
            let encoding = encoding.map_err(|source| EncodeError::Tokenizer {
                bytes: text.len(),
                source,
            })?;
            if whole || encoding.get_ids().len() >= most.saturating_add(MARGIN) {
                return Ok(encoding);
            }
            bytes = bytes.saturating_mul(4);
        }
    }
}

/// Encodes pairs of texts as a cross-encoder reads them.
///
/// A first text that comes again, as queries do, is tokenised once.
#[derive(Debug)]
pub(super) struct PairEncoder<'a> {
    encoder: &'a Encoder,
    most: usize,
    truncation: Truncation,
    /// Special tokens that a pair has.
    special_tokens: usize,
    first: Option<(String, tokenizers::Encoding)>,
}

impl<'a> PairEncoder<'a> {
    pub(super) fn new(encoder: &'a Encoder, most: usize, truncation: Truncation) -> Self {
        let processor = encoder.tokenizer.get_post_processor();
        Self {
            encoder,
            most,
            truncation,
            special_tokens: processor.map_or(0, |processor| processor.added_tokens(true)),
            first: None,
        }
    }

    /// Encodes one pair. Of one that is too long the longer text loses its end first, as Hugging Face's
    /// `longest_first` does.
    pub(super) fn encode(&mut self, first: &str, second: &str) -> Result<Encoded, EncodeError> {
        let Self {
            encoder,
            most,
            truncation,
            ..
        } = *self;
        let failed = |source| EncodeError::Tokenizer {
            bytes: first.len() + second.len(),
            source,
        };
        let left = match &self.first {
            Some((known, left)) if known == first => left.clone(),
            _ => {
                let left = encoder.tokenizer.encode_fast(first, false);
                let left = left.map_err(failed)?;
                self.first = Some((first.to_owned(), left.clone()));
                left
            }
        };
        // As much of the second as shows which of them is longer.
        let right = most.max(left.len());
        let mut right = encoder.beginning(second, right, truncation, false)?;
        right.set_type_ids(vec![1; right.len()]);
        let found = left.len() + right.len() + self.special_tokens;
        if found > most && truncation == Truncation::Refuse {
            return Err(EncodeError::TooLong { found, most });
        }
        let (left, right) = truncate_encodings(
            left,
            Some(right),
            &TruncationParams {
                max_length: most.saturating_sub(self.special_tokens),
                strategy: TruncationStrategy::LongestFirst,
                ..TruncationParams::default()
            },
        )
        .map_err(failed)?;
        let pair = encoder.tokenizer.post_process(left, right, true);
        let pair = pair.map_err(failed)?;
        Ok(Encoded {
            ids: pair.get_ids().to_vec(),
            types: pair.get_type_ids().to_vec(),
        })
    }
}

impl TokenIds for Encoder {
    fn ids(&self, text: &str, ids: &mut Vec<i32>) -> Result<(), ModelError> {
        let found = self.whole(text, true)?;
        ids.extend(found.into_iter().map(|id| id as i32));
        Ok(())
    }
}

impl Tokenizer for Encoder {
    /// Tokens as the vocabulary writes them, such as `##ing`; special tokens are left out.
    fn cut<'a>(&self, text: &'a str, buffer: &'a mut String, spans: &mut Vec<Span>) -> &'a str {
        buffer.clear();
        for part in parts(text, self.can_cut) {
            // A tokenizer that was loaded fails on no text; were one to, it has no tokens.
            let Ok(encoding) = self.tokenizer.encode(part, false) else {
                continue;
            };
            for token in encoding.get_tokens() {
                let start = buffer.len();
                buffer.push_str(token);
                spans.push(Span {
                    start: start as u32,
                    end: buffer.len() as u32,
                });
            }
        }
        buffer
    }

    fn starts(&self, text: &str, starts: &mut Vec<usize>) -> bool {
        let mut before = 0;
        for part in parts(text, self.can_cut) {
            // As in `cut`: what can't be encoded has no tokens.
            if let Ok(encoding) = self.tokenizer.encode(part, false) {
                let offsets = encoding.get_offsets().iter();
                starts.extend(offsets.map(|(start, _)| before + start));
            }
            before += part.len();
        }
        true
    }
}

/// Cuts a long text where hardly a tokenizer has a token on both sides. Parts end in no white space but the last.
fn parts(mut text: &str, can_cut: bool) -> impl Iterator<Item = &str> {
    std::iter::from_fn(move || {
        if text.is_empty() {
            return None;
        }
        let end = match text.len() > 2 * PART && can_cut {
            true => cut(text),
            false => text.len(),
        };
        let (part, rest) = text.split_at(end);
        text = rest;
        Some(part)
    })
}

/// Returns where a text of more than two parts' bytes is cut: before a space that stands alone between words; where there
/// is none for as long again, before other white space behind a word; without any, between two characters.
fn cut(text: &str) -> usize {
    let is_word = |char: Option<char>| char.is_some_and(|char| !char.is_whitespace());
    let ends_word = |at: usize| is_word(text[..at].chars().next_back());
    let is_alone = |at: &usize| {
        text.as_bytes()[*at] == b' ' && ends_word(*at) && is_word(text[at + 1..].chars().next())
    };
    // The first white space behind a word.
    let behind_word = |start: usize, end: usize| {
        let mut chars = text[start..end].char_indices();
        let is_first = |(at, char): &(usize, char)| char.is_whitespace() && ends_word(start + at);
        chars.find(is_first).map(|(at, _)| start + at)
    };
    let end = text.floor_char_boundary(2 * PART);
    (PART..2 * PART)
        .find(is_alone)
        .or_else(|| behind_word(text.ceil_char_boundary(PART), end))
        .or_else(|| ends_word(end).then_some(end))
        .or_else(|| behind_word(end, text.len()))
        .unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_cut_at_single_spaces_and_nothing_is_lost() {
        let short = "a b";
        assert_eq!(parts(short, true).collect::<Vec<_>>(), [short]);
        assert_eq!(parts("", true).count(), 0);
        for word in [
            "word ",
            "wide  spaces\n ",
            "再见",
            "🦀 ",
            "词\u{3000}",
            "词\u{3000} ",
            "a\u{a0} ",
        ] {
            let text = word.repeat(5 * PART / word.len());
            let found: Vec<_> = parts(&text, true).collect();
            assert_eq!(parts(&text, false).collect::<Vec<_>>(), [text.as_str()]);
            assert!(found.concat() == text && found.len() > 2, "{word}");
            assert!(found.iter().all(|part| part.len() <= 2 * PART), "{word}");
            let mut ends = found[..found.len() - 1].iter();
            assert!(ends.all(|part| part.trim_end() == *part), "{word}");
            if word == "word " {
                assert!(found[1..].iter().all(|part| part.starts_with(" word")));
            }
        }
    }

    #[test]
    fn a_text_is_cut_unless_its_beginning_is_changed() {
        let strip = |left: bool| {
            format!("{{\"type\": \"Strip\", \"strip_left\": {left}, \"strip_right\": true}}")
        };
        let prepend = r#"{"type": "Prepend", "prepend": "▁"}"#.to_owned();
        for (normalizer, expected) in [
            ("null".to_owned(), true),
            (r#"{"type": "Lowercase"}"#.to_owned(), true),
            (strip(false), true),
            (strip(true), false),
            (
                format!(r#"{{"type": "Sequence", "normalizers": [{prepend}]}}"#),
                false,
            ),
        ] {
            let json = format!(
                r#"{{"version": "1.0", "normalizer": {normalizer}, "added_tokens": [], "model":
                    {{"type": "WordLevel", "vocab": {{"a": 0}}, "unk_token": "a"}}}}"#
            );
            let encoder = Encoder::new(json.as_bytes()).expect("a tokenizer");
            assert_eq!(encoder.can_cut, expected, "{normalizer}");
        }
    }

    #[test]
    fn white_space_of_any_length_ends_no_part_but_the_last() {
        let text = format!(
            "word{}{}",
            " ".repeat(3 * PART),
            "word end ".repeat(PART / 3)
        );
        let found: Vec<_> = parts(&text, true).collect();
        assert!(found.concat() == text && found.len() > 1);
        let mut ends = found[..found.len() - 1].iter();
        assert!(ends.all(|part| part.trim_end() == *part));
        assert_eq!(parts(&" ".repeat(5 * PART), true).count(), 1);
    }
}
