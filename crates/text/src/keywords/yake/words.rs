//! Tokenization of `'yake'`.

use std::sync::LazyLock;

use icu_properties::CodePointMapData;
use icu_properties::props::{GeneralCategory, GeneralCategoryGroup};
use regex::Regex;

use super::sentences::TERMINALS;

/// Addresses of pages and of mail, and what stands before and behind them.
static ADDRESS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r#"(?:\A|[\s<"'(\[{])((?:[A-z]+://(?:[^@\s]+@)?(?:[\w-]+\.)+\w+(?::\d+)?(?:/[^?\#\s'">)\]}]*)?(?:\?[^\#\s'">)\]}]+)?(?:\#[^\s'">)\]}]+)?|[\w.\#$%&'*+/=!?^`{|}~-]+@(?:[\w-]+\.)+\w+))(?:[\s>"')\]}]|\z)"#,
    )
    .expect("a pattern of ours")
});

/// The forms of verbs behind an apostrophe that are words of their own.
const CONTRACTIONS: &[&str] = &["d", "ll", "m", "re", "s", "t", "ve"];

/// Calls `each` with every word and every run of other characters but white space.
///
/// The rules are those of the Python package segtok 1.5 (MIT, see `text/LICENSE-segtok.txt`), whose `web_tokenizer` and
/// `split_contractions` YAKE's authors use: letters and digits, with full stops, and with commas, hyphens and apostrophes between them, are a word;
/// addresses are one. The last full stop of a sentence, and commas, colons and semicolons behind a word, stand alone, and
/// so do «n't» and «'s». Letters are those of scripts with upper and lower case. References to entities and hyphens at
/// the end of a line are left as they are; superscripts and subscripts are no part of a word.
pub(super) fn for_each_token<'a>(sentence: &'a str, mut each: impl FnMut(&'a str)) {
    let (mut start, mut tokens) = (0, Vec::new());
    while let Some(address) = ADDRESS
        .captures_at(sentence, start)
        .and_then(|found| found.get(1))
    {
        between_addresses(&sentence[start..address.start()], &mut tokens, &mut each);
        each(address.as_str());
        start = address.end();
    }
    between_addresses(&sentence[start..], &mut tokens, &mut each);
}

fn between_addresses<'a>(text: &'a str, tokens: &mut Vec<&'a str>, each: &mut impl FnMut(&'a str)) {
    tokens.clear();
    for run in text.split_whitespace() {
        let mut rest = run;
        while !rest.is_empty() {
            let before = run.len() - rest.len();
            let mut length = word_length(run, before);
            if length == 0 {
                length = rest
                    .char_indices()
                    .skip(1)
                    .map(|(at, _)| at)
                    .find(|at| word_length(run, before + at) > 0)
                    .unwrap_or(rest.len());
            }
            let (token, behind) = rest.split_at(length);
            tokens.push(token);
            rest = behind;
        }
    }
    split_terminal(tokens);
    for token in &*tokens {
        let word = token.trim_end_matches([',', ';', ':']);
        // One mark is left where there is nothing else.
        let kept = word
            .len()
            .max(token.chars().next().map_or(0, char::len_utf8));
        let (word, marks) = token.split_at(kept);
        match contraction(word) {
            Some(at) => {
                each(&word[..at]);
                each(&word[at..]);
            }
            None => each(word),
        }
        for (at, mark) in marks.char_indices() {
            each(&marks[at..at + mark.len_utf8()]);
        }
    }
}

/// Takes the mark that ends or begins the last word of a sentence for a token.
fn split_terminal(tokens: &mut Vec<&str>) {
    for at in (tokens.len().saturating_sub(3)..tokens.len()).rev() {
        let token = tokens[at];
        let is_word = word_length(token, 0) > 0 && !token.starts_with(is_apostrophe);
        if !is_word && !token.contains(TERMINALS) {
            continue;
        }
        let (Some(first), Some(last)) = (token.chars().next(), token.chars().next_back()) else {
            return;
        };
        if token.len() == last.len_utf8() || token == "..." {
            return;
        }
        // The first of a kind decides, as in `str.find` and `str.rfind`.
        let split = if TERMINALS.contains(&last) {
            token.len() - last.len_utf8()
        } else if TERMINALS.contains(&first) {
            first.len_utf8()
        } else {
            return;
        };
        tokens[at] = &token[..split];
        tokens.insert(at + 1, &token[split..]);
        return;
    }
}

/// Returns the length of the word that begins at a place of a run without white space, 0 where none does.
fn word_length(run: &str, start: usize) -> usize {
    let mut length = 0;
    loop {
        let mut rest = run[start + length..].chars();
        let Some(first) = rest.next() else {
            return length;
        };
        let mut behind = rest.clone();
        let second = behind.next();
        let third = behind.clone().next();
        let is_alphanumeric = is_alphanumeric(first);
        let is_number = is_alphanumeric && is_number(first);
        let next = |character: Option<char>| character.is_some_and(self::is_alphanumeric);
        length += first.len_utf8();
        if is_alphanumeric {
            length += match second {
                Some('.') if !behind.as_str().starts_with("..") => 1,
                Some(',' | '\'') if next(third) => 1,
                Some('\'') if first == 's' && third.is_none() => 1,
                Some(':') if is_number && third.is_some_and(self::is_number) => 1,
                Some(hyphen) if is_hyphen(hyphen) && next(third) => hyphen.len_utf8(),
                Some(apostrophe)
                    if is_apostrophe(apostrophe)
                        && third.is_some_and(is_hyphen)
                        && next(behind.clone().nth(1)) =>
                {
                    apostrophe.len_utf8() + third.map_or(0, char::len_utf8)
                }
                _ => 0,
            };
        } else if !is_apostrophe(first) || second.is_some_and(is_apostrophe) {
            return length - first.len_utf8();
        }
    }
}

/// Returns where a contraction is cut.
fn contraction(word: &str) -> Option<usize> {
    let (at, apostrophe) = word
        .char_indices()
        .rev()
        .take(3)
        .find(|(_, character)| *character == '\'' || is_apostrophe(*character))?;
    let (stem, form) = (&word[..at], &word[at + apostrophe.len_utf8()..]);
    if !CONTRACTIONS.contains(&form) || !is_compound(stem) {
        return None;
    }
    let is_not = form == "t" && stem.ends_with('n');
    let at = if is_not { at - 1 } else { at };
    (at > 0).then_some(at)
}

/// Tells whether these are letters and digits, single hyphens between them.
fn is_compound(stem: &str) -> bool {
    let mut before = None;
    for character in stem.chars() {
        let is_fine = is_alphanumeric(character)
            || is_hyphen(character) && before.is_some_and(is_alphanumeric);
        if !is_fine {
            return false;
        }
        before = Some(character);
    }
    before.is_some_and(is_alphanumeric)
}

fn is_apostrophe(character: char) -> bool {
    matches!(
        character,
        '\u{b4}' | '\u{2b9}' | '\u{2bc}' | '\u{2019}' | '\u{2032}'
    )
}

fn is_hyphen(character: char) -> bool {
    matches!(
        character,
        '-' | '\u{ad}' | '\u{58a}' | '\u{5be}' | '\u{f0c}' | '\u{1400}' | '\u{1806}' | '\u{2010}'
            ..='\u{2012}' | '\u{2e17}' | '\u{30a0}'
    )
}

/// Tells whether a character is a letter of a script with two cases, a modifier or a digit.
fn is_alphanumeric(character: char) -> bool {
    if character.is_ascii() {
        return character.is_ascii_alphanumeric();
    }
    const WORD: GeneralCategoryGroup = GeneralCategoryGroup::LowercaseLetter
        .union(GeneralCategoryGroup::ModifierLetter)
        .union(GeneralCategoryGroup::TitlecaseLetter)
        .union(GeneralCategoryGroup::UppercaseLetter)
        .union(GeneralCategoryGroup::DecimalNumber)
        .union(GeneralCategoryGroup::LetterNumber);
    WORD.contains(CodePointMapData::<GeneralCategory>::new().get(character))
}

fn is_number(character: char) -> bool {
    if character.is_ascii() {
        return character.is_ascii_digit();
    }
    let category = CodePointMapData::<GeneralCategory>::new().get(character);
    matches!(
        category,
        GeneralCategory::DecimalNumber | GeneralCategory::LetterNumber
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(sentence: &str, expected: &str) {
        let mut found = Vec::new();
        for_each_token(sentence, |token| found.push(token));
        assert_eq!(found.join("|"), expected, "{sentence:?}");
    }

    #[test]
    fn words_keep_what_stands_inside_them() {
        check(
            "state-of-the-art, 1,234.5 at 12:30.",
            "state-of-the-art|,|1,234.5|at|12:30|.",
        );
        check("e.g. the U.S. (twice)...", "e.g.|the|U.S.|(|twice|)..|.");
        check(
            "snake_case 'quoted' dogs' 5´-a",
            "snake|_|case|'|quoted|'|dogs'|5´-a",
        );
    }

    #[test]
    fn contractions_are_cut() {
        check(
            "don't John's we’ll o'clock 's",
            "do|n't|John|'s|we|’ll|o'clock|'|s",
        );
    }

    #[test]
    fn addresses_are_one_word() {
        check(
            "See https://a.example/b?c=d#e (mail x.y@z.example) a@b",
            "See|https://a.example/b?c=d#e|(|mail|x.y@z.example|)|a|@|b",
        );
    }
}
