//! Sentence segmentation of `'yake'`.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use crate::white_space::is_space;

/// What may end a sentence.
pub(super) const TERMINALS: &[char] = &[
    '.', '!', '?', '\u{203c}', '\u{203d}', '\u{2047}', '\u{2048}', '\u{2049}', '\u{3002}',
    '\u{fe52}', '\u{fe57}', '\u{ff01}', '\u{ff0e}', '\u{ff1f}', '\u{ff61}',
];

/// Pieces of fewer characters stay together inside brackets.
const SHORT: usize = 55;

static END: LazyLock<Regex> = LazyLock::new(|| {
    let terminals: String = TERMINALS.iter().collect();
    pattern(&format!("[{terminals}]['\u{2019}\"\u{201d}]?[\\])]*\\s+"))
});

/// What a full stop does not end a sentence behind: abbreviations and initials of names.
static ABBREVIATION: LazyLock<Regex> = LazyLock::new(|| {
    const FIXED: &str = "Capt|Col|Dr|Gen|Mag|Mr|Mrs|Mt|No|Sgt|Sr|Sra|Srta|St|Jän|Jan|Ene|Feb|Mär|Mar|Apr|Abr|May|Jun|Jul|Aug|Sept?|O[ck]t|Nov|Di[cz]|Dez|Dec|E\\.U|U\\.K|U\\.S";
    const EITHER: &str = "[Aa]pprox|[Cc]f|[Ff]\\.?e|[Ff]igs?|[Ee]\\.?g|[Ii]\\.?[ev]|[Mm]ed|[Nn]at|[Nn]r|[Pp]\\.e|[Pp]hil|[Pp]rof|[Rr]er|[Ss]ci|[Uu]niv|[Vv]ol|[Vv]s|z\\.B|Z\\.b";
    let titled = "[Bb]y|[Cc](?:aptain|ommander)|[Dd]o[ck]tor|[Gg]eneral|[Mm](?:ag)?is(?:ter|s)|[Pp]rofessor|[Ss]eñor(?:it)?a?";
    pattern(&format!(
        "(?:\\b(?:{FIXED}|{EITHER})|(?:\\b(?:{titled})\\s|[\\[(]){INITIALS})\\z"
    ))
});

/// Initials behind a name and a comma or «and»: names in a list.
static LISTED: LazyLock<Regex> =
    LazyLock::new(|| pattern(&format!("(,(?:\\sand)?|\\sand)\\s{INITIALS}\\z")));

/// What stands before the comma where it is an initial, too.
static INITIAL_END: LazyLock<Regex> = LazyLock::new(|| pattern("\\b[\\p{Lu},]\\p{Lm}?\\z"));

const INITIALS: &str = "(?:[\\p{Lu}\\p{Lt}]\\p{Lm}?\\.[\u{ad}\u{58a}\u{5be}\u{f0c}\u{1400}\u{1806}\u{2010}-\u{2012}\u{2e17}\u{30a0}-]?)?[\\p{Lu}\\p{Lt}]\\p{Lm}?";

static DAY_END: LazyLock<Regex> = LazyLock::new(|| pattern("\\b[0123]?[0-9]\\z"));

static MONTH: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        "\\A(?:J[äa]n|Ene|Feb|M[äa]r|A[pb]r|May|Jun|Jul|Aug|Sep|O[ck]t|Nov|D[ei][cz]|0?[1-9]|1[012])",
    )
});

static NAME_AND_INITIAL_END: LazyLock<Regex> =
    LazyLock::new(|| pattern("\\b\\p{Lu}\\p{Ll}+\\W+\\p{Lu}\\z"));

static NAME_START: LazyLock<Regex> = LazyLock::new(|| pattern("\\A\\p{Lu}\\p{Ll}+\\b"));

static LONE_WORD: LazyLock<Regex> =
    LazyLock::new(|| pattern(&format!("\\A\\p{{Ll}}+[\\p{{Ll}}\\p{{Nd}}{HYPHENS}]*\\z")));

static LOWER_WORD: LazyLock<Regex> =
    LazyLock::new(|| pattern(&format!("\\A\\p{{Ll}}+[{HYPHENS}]?\\p{{Ll}}*\\b")));

const HYPHENS: &str =
    "\u{ad}\u{58a}\u{5be}\u{f0c}\u{1400}\u{1806}\u{2010}-\u{2012}\u{2e17}\u{30a0}-";

/// Words that seldom begin a sentence.
static CONTINUATION: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        "\\A(?:and|are|between|by|from|has|into|is|of|or|than|that|through|via|was|were|whether|with)\\b",
    )
});

static CAPITAL_START: LazyLock<Regex> =
    LazyLock::new(|| pattern("\\A(?:(?:\\(\\d{4}\\)\\s)?[\\p{Lu}\\p{Lt}]\\p{L}*|\\d+)[.,:]\\s+"));

fn pattern(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a pattern of ours")
}

/// Calls `each` with every sentence, without the white space around it; blank ones are left out.
///
/// The rules are those of the Python package segtok 1.5 (MIT, see `text/LICENSE-segtok.txt`), whose `split_multi` YAKE's
/// authors use, with line breaks taken for spaces: a sentence ends with its mark and white space, but behind abbreviations
/// and initials, before words that go on, and inside brackets.
pub(super) fn for_each_sentence<'a>(text: &'a str, mut each: impl FnMut(&'a str)) {
    let mut give = |range: Range<usize>| {
        let sentence = text[range].trim_matches(is_space);
        if !sentence.is_empty() {
            each(sentence);
        }
    };
    let mut last: Option<Pending> = None;
    for_each_piece(text, |piece| {
        let current = &text[piece.clone()];
        match &mut last {
            Some(last) if last.goes_on(text, current) => last.add(piece.end, current),
            _ => {
                if let Some(last) = last.take() {
                    give(last.range);
                }
                let mut next = Pending::at(piece.start);
                next.add(piece.end, current);
                last = Some(next);
            }
        }
    });
    if let Some(last) = last {
        give(last.range);
    }
}

/// Calls `each` with the pieces between marks that end sentences, abbreviations seen to.
fn for_each_piece(text: &str, mut each: impl FnMut(Range<usize>)) {
    let (mut start, mut before) = (0, 0);
    let mut marks = END.find_iter(text).peekable();
    while let Some(mark) = marks.next() {
        let next = marks.peek().map_or(text.len(), regex::Match::start);
        let previous = &text[before..mark.start()];
        before = mark.end();
        let is_joined = previous.ends_with(is_space)
            || mark.as_str().starts_with('.')
                && (is_abbreviation(previous) || goes_on(previous, &text[mark.end()..next]));
        if !is_joined {
            each(start..mark.end());
            start = mark.end();
        }
    }
    each(start..text.len());
}

fn is_abbreviation(previous: &str) -> bool {
    if previous.chars().nth(1).is_none() {
        return !previous.is_empty();
    }
    if previous.bytes().all(|byte| byte.is_ascii_digit()) || ABBREVIATION.is_match(previous) {
        return true;
    }
    LISTED.captures(previous).is_some_and(|found| {
        found
            .get(1)
            .is_some_and(|link| !INITIAL_END.is_match(&previous[..link.start()]))
    })
}

/// Tells whether what follows a full stop is no new sentence.
fn goes_on(previous: &str, next: &str) -> bool {
    LONE_WORD.is_match(next)
        || DAY_END.is_match(previous) && MONTH.is_match(next)
        || NAME_START.is_match(next) && NAME_AND_INITIAL_END.is_match(previous)
}

/// A sentence that may go on.
struct Pending {
    range: Range<usize>,
    round: Brackets,
    square: Brackets,
}

impl Pending {
    fn at(start: usize) -> Self {
        Self {
            range: start..start,
            round: Brackets::of('(', ')'),
            square: Brackets::of('[', ']'),
        }
    }

    fn add(&mut self, end: usize, piece: &str) {
        self.range.end = end;
        self.round.add(piece);
        self.square.add(piece);
    }

    fn goes_on(&self, text: &str, current: &str) -> bool {
        let last = &text[self.range.clone()];
        if is_before_lower(last) && LOWER_WORD.is_match(current) {
            return true;
        }
        if is_short(current) || is_short(last) {
            let name = || {
                last.ends_with(" et al. ")
                    || is_capital_end(last) && CAPITAL_START.is_match(current)
            };
            for brackets in [&self.round, &self.square] {
                if brackets.open > 0 && (brackets.are_closed_in(current) || name()) {
                    return true;
                }
            }
        }
        CONTINUATION.is_match(current)
    }
}

fn is_short(piece: &str) -> bool {
    piece.len() < SHORT || piece.chars().nth(SHORT - 1).is_none()
}

/// How many brackets are open; those that close before the first opens don't count.
struct Brackets {
    opening: char,
    closing: char,
    open: i64,
    has_opened: bool,
}

impl Brackets {
    fn of(opening: char, closing: char) -> Self {
        Self {
            opening,
            closing,
            open: 0,
            has_opened: false,
        }
    }

    fn add(&mut self, piece: &str) {
        for character in piece.chars() {
            if character == self.opening {
                self.has_opened = true;
                self.open += 1;
            } else if character == self.closing && self.has_opened {
                self.open -= 1;
            }
        }
    }

    /// Tells whether a piece closes more than it opens, up to the last that closes.
    fn are_closed_in(&self, piece: &str) -> bool {
        let mut open = 0_i64;
        let until = piece.rfind(self.closing).map_or(0, |at| at + 1);
        for character in piece[..until].chars() {
            open += i64::from(character == self.opening) - i64::from(character == self.closing);
        }
        open < 0
    }
}

/// Tells whether a mark ends no sentence where a small letter follows: behind quotes, brackets, single letters.
fn is_before_lower(last: &str) -> bool {
    let end = last.trim_end();
    if end.len() == last.len() {
        return false;
    }
    let open = end.trim_end_matches([')', ']']);
    let quoted = open.strip_suffix('"');
    if quoted.is_some_and(|quoted| quoted.ends_with(TERMINALS))
        || open.len() < end.len() && open.ends_with(TERMINALS)
    {
        return true;
    }
    let Some(word) = end.strip_suffix('.') else {
        return false;
    };
    let mut letters = word.chars().rev();
    let (second, first) = (letters.next(), letters.next());
    match (first, second) {
        (first, Some(only)) if only.is_alphabetic() && !first.is_some_and(is_word) => true,
        (Some(first), Some(second)) if first.is_alphabetic() && second.is_lowercase() => {
            !letters.next().is_some_and(is_word)
        }
        _ => word
            .strip_suffix("spp")
            .is_some_and(|before| !before.ends_with(is_word)),
    }
}

/// Tells whether the last word has a capital and a full stop.
fn is_capital_end(last: &str) -> bool {
    let end = last.trim_end();
    let Some(word) = end.strip_suffix('.').filter(|_| end.len() < last.len()) else {
        return false;
    };
    let before = word.trim_end_matches(char::is_alphabetic);
    word[before.len()..].starts_with(char::is_uppercase) && !before.ends_with(is_word)
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let mut found = Vec::new();
        for_each_sentence(text, |sentence| found.push(sentence));
        assert_eq!(found, expected, "{text:?}");
    }

    #[test]
    fn marks_and_white_space_end_sentences() {
        check(
            "Is it? \"Yes.\" It\nis.  ",
            &["Is it?", "\"Yes.\"", "It\nis."],
        );
        check(
            "v1.2 of it. 你好。再见。 好",
            &["v1.2 of it.", "你好。再见。", "好"],
        );
        check(" ", &[]);
    }

    #[test]
    fn abbreviations_and_names_end_none() {
        check("See Dr. Wu, e.g. today.", &["See Dr. Wu, e.g. today."]);
        check(
            "By J. Wu and A. B. Ito. A. Dent.",
            &["By J. Wu and A. B. Ito.", "A. Dent."],
        );
        check("On 3. May it rained.", &["On 3. May it rained."]);
        check("We met Ada B. Lovelace.", &["We met Ada B. Lovelace."]);
    }

    #[test]
    fn words_that_go_on_and_brackets_join() {
        check("\"Stop!\" she cried.", &["\"Stop!\" she cried."]);
        check("One (two. Three) four.", &["One (two. Three) four."]);
        check("One! and two.", &["One! and two."]);
    }
}
