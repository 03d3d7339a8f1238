//! What our own statements are parsed with: words that need not be keywords, names of models, options.

use std::collections::BTreeMap;
use std::fmt;

use datafusion::common::Result;
use datafusion::sql::sqlparser::parser::Parser;
use datafusion::sql::sqlparser::tokenizer::Token;

use super::parser::syntax_error;

/// Consumes these words, without regard to case, if all of them come next.
pub(super) fn words(parser: &mut Parser<'_>, words: &[&str]) -> bool {
    let come_next = words
        .iter()
        .enumerate()
        .all(|(at, word)| is_word(&parser.peek_nth_token_ref(at).token, word));
    if come_next {
        for _ in words {
            parser.advance_token();
        }
    }
    come_next
}

/// Consumes these words where the name of a model follows: a table may be named `model`.
pub(super) fn words_before_name(parser: &mut Parser<'_>, expected: &[&str]) -> bool {
    let next = &parser.peek_nth_token_ref(expected.len()).token;
    matches!(next, Token::Word(_) | Token::SingleQuotedString(_)) && words(parser, expected)
}

fn is_word(token: &Token, expected: &str) -> bool {
    matches!(token, Token::Word(word) if word.quote_style.is_none() && word.value.eq_ignore_ascii_case(expected))
}

/// Parses the name of a model: a word, or a text such as `'minilm@2'`.
pub(super) fn model_name(parser: &mut Parser<'_>) -> Result<String> {
    let token = parser.next_token();
    match token.token {
        Token::Word(word) => Ok(word.value),
        Token::SingleQuotedString(text) => Ok(text),
        other => Err(syntax_error(format!(
            "expected the name of a model, found `{other}`{}",
            token.span.start
        ))),
    }
}

/// Options, by key.
pub(super) type Options = BTreeMap<String, String>;

/// Parses `('key' = 'value', …)`; a value may be a number, `true` or `false` as well.
pub(super) fn options(parser: &mut Parser<'_>) -> Result<Options> {
    parser.expect_token(&Token::LParen)?;
    let mut options = Options::new();
    while !parser.consume_token(&Token::RParen) {
        if !options.is_empty() {
            parser.expect_token(&Token::Comma)?;
        }
        let token = parser.next_token();
        let key = match token.token {
            Token::SingleQuotedString(text) => text,
            Token::Word(word) => word.value,
            other => {
                return Err(syntax_error(format!(
                    "expected an option such as 'kind' = 'jieba', found `{other}`{}",
                    token.span.start
                )));
            }
        };
        parser.expect_token(&Token::Eq)?;
        let value = parser.next_token();
        let value = match value.token {
            Token::SingleQuotedString(text) | Token::Number(text, _) => text,
            Token::Word(word)
                if ["true", "false"].contains(&word.value.to_lowercase().as_str()) =>
            {
                word.value
            }
            other => {
                return Err(syntax_error(format!(
                    "expected a text, a number, true or false for option `{key}`, found `{other}`{}",
                    value.span.start
                )));
            }
        };
        if options.contains_key(&key) {
            return Err(syntax_error(format!(
                "option `{key}` is there twice{}",
                token.span.start
            )));
        }
        options.insert(key, value);
    }
    Ok(options)
}

/// Writes options as they are parsed.
pub(super) struct Written<'a>(pub &'a Options);

impl fmt::Display for Written<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(")?;
        for (at, (key, value)) in self.0.iter().enumerate() {
            let comma = if at > 0 { ", " } else { "" };
            write!(f, "{comma}{} = {}", quoted(key), quoted(value))?;
        }
        f.write_str(")")
    }
}

/// Writes a text as SQL does.
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
