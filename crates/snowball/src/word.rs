//! Runtime of the generated stemmers: a word, a cursor, and the tests and edits that they call.

use std::borrow::Cow;

/// An ending or a beginning of a table: its text, the index of the longest other one that it ends or begins with (-1 for
/// none), its number, and the condition under which it counts.
///
/// Tables are sorted by bytes: from the front those that are looked for ahead, from the back those that are looked for
/// behind.
pub(super) struct Among<T: 'static>(
    pub(super) &'static str,
    pub(super) i32,
    pub(super) i32,
    pub(super) Option<Condition<T>>,
);

type Condition<T> = &'static (dyn Fn(&mut Word<'_>, &mut T) -> bool + Sync);

/// A word, a cursor in it, and the slice from `bra` to `ket` that is to be edited, all in bytes.
#[derive(Debug)]
pub(crate) struct Word<'a> {
    pub(super) current: Cow<'a, str>,
    pub(super) cursor: i32,
    pub(super) limit: i32,
    pub(super) limit_backward: i32,
    pub(super) bra: i32,
    pub(super) ket: i32,
}

impl<'a> Word<'a> {
    pub(super) fn new(word: &'a str) -> Self {
        Self {
            current: Cow::Borrowed(word),
            cursor: 0,
            limit: word.len() as i32,
            limit_backward: 0,
            bra: 0,
            ket: word.len() as i32,
        }
    }

    /// Returns what lies ahead of the cursor, up to the limit.
    #[inline]
    fn ahead(&self) -> &[u8] {
        let range = self.cursor as usize..self.limit as usize;
        self.current.as_bytes().get(range).unwrap_or_default()
    }

    /// Returns what lies behind the cursor, down to the limit.
    #[inline]
    fn behind(&self) -> &[u8] {
        let range = self.limit_backward as usize..self.cursor as usize;
        self.current.as_bytes().get(range).unwrap_or_default()
    }

    #[inline]
    fn next(&self) -> Option<char> {
        match self.ahead() {
            [] => None,
            [ascii @ ..0x80, ..] => Some(char::from(*ascii)),
            _ => self.current.get(self.cursor as usize..)?.chars().next(),
        }
    }

    #[inline]
    fn previous(&self) -> Option<char> {
        match self.behind() {
            [] => None,
            [.., ascii @ ..0x80] => Some(char::from(*ascii)),
            _ => self
                .current
                .get(..self.cursor as usize)?
                .chars()
                .next_back(),
        }
    }

    fn forward(&mut self, by: usize) -> bool {
        self.cursor += by as i32;
        true
    }

    fn back(&mut self, by: usize) -> bool {
        self.cursor -= by as i32;
        true
    }

    pub(super) fn next_char(&mut self) {
        self.hop(1);
    }

    pub(super) fn previous_char(&mut self) {
        self.hop_back(1);
    }

    /// Moves over `count` characters, or not at all where there are fewer.
    pub(super) fn hop(&mut self, count: i32) -> bool {
        let start = self.cursor;
        for _ in 0..count {
            let Some(next) = self.next() else {
                self.cursor = start;
                return false;
            };
            self.forward(next.len_utf8());
        }
        true
    }

    pub(super) fn hop_back(&mut self, count: i32) -> bool {
        let end = self.cursor;
        for _ in 0..count {
            let Some(previous) = self.previous() else {
                self.cursor = end;
                return false;
            };
            self.back(previous.len_utf8());
        }
        true
    }

    #[inline]
    pub(super) fn eq_s(&mut self, text: &str) -> bool {
        let ahead = self.ahead();
        let is_there =
            text.len() <= ahead.len() && text.bytes().eq(ahead[..text.len()].iter().copied());
        is_there && self.forward(text.len())
    }

    #[inline]
    pub(super) fn eq_s_b(&mut self, text: &str) -> bool {
        let behind = self.behind();
        let is_there = text.len() <= behind.len()
            && text
                .bytes()
                .eq(behind[behind.len() - text.len()..].iter().copied());
        is_there && self.back(text.len())
    }

    pub(super) fn in_grouping(&mut self, set: &[u8], min: u32, max: u32) -> bool {
        let next = self.next().filter(|&next| holds(set, min, max, next));
        next.is_some_and(|next| self.forward(next.len_utf8()))
    }

    pub(super) fn in_grouping_b(&mut self, set: &[u8], min: u32, max: u32) -> bool {
        let previous = self.previous().filter(|&c| holds(set, min, max, c));
        previous.is_some_and(|previous| self.back(previous.len_utf8()))
    }

    pub(super) fn out_grouping(&mut self, set: &[u8], min: u32, max: u32) -> bool {
        let next = self.next().filter(|&next| !holds(set, min, max, next));
        next.is_some_and(|next| self.forward(next.len_utf8()))
    }

    pub(super) fn out_grouping_b(&mut self, set: &[u8], min: u32, max: u32) -> bool {
        let previous = self.previous().filter(|&c| !holds(set, min, max, c));
        previous.is_some_and(|previous| self.back(previous.len_utf8()))
    }

    /// Moves to the next character outside of a set.
    pub(super) fn go_in_grouping(&mut self, set: &[u8], min: u32, max: u32) -> bool {
        while self.in_grouping(set, min, max) {}
        self.cursor < self.limit
    }

    pub(super) fn go_in_grouping_b(&mut self, set: &[u8], min: u32, max: u32) -> bool {
        while self.in_grouping_b(set, min, max) {}
        self.cursor > self.limit_backward
    }

    /// Moves to the next character of a set.
    pub(super) fn go_out_grouping(&mut self, set: &[u8], min: u32, max: u32) -> bool {
        while self.out_grouping(set, min, max) {}
        self.cursor < self.limit
    }

    /// Moves over the longest beginning of what is ahead, and returns its number; 0 for none.
    pub(super) fn find_among<T>(&mut self, table: &[Among<T>], context: &mut T) -> i32 {
        let start = self.cursor;
        let ahead = self.ahead();
        let is_before = |entry: &Among<T>| is_at_most(entry.0.bytes(), ahead.iter().copied());
        let mut at = table.partition_point(is_before) as i32 - 1;
        // What is ahead begins with the entry before it, or with one that this begins with, or with none.
        while let Some(Among(text, shorter, number, condition)) = table.get(at as usize) {
            self.cursor = start;
            if self.eq_s(text) {
                let end = self.cursor;
                if condition.is_none_or(|holds| holds(self, context)) {
                    self.cursor = end;
                    return *number;
                }
            }
            at = *shorter;
        }
        0
    }

    /// Moves over the longest ending of what is behind, and returns its number; 0 for none.
    pub(super) fn find_among_b<T>(&mut self, table: &[Among<T>], context: &mut T) -> i32 {
        let end = self.cursor;
        let behind = self.behind();
        let is_before =
            |entry: &Among<T>| is_at_most(entry.0.bytes().rev(), behind.iter().rev().copied());
        let mut at = table.partition_point(is_before) as i32 - 1;
        while let Some(Among(text, shorter, number, condition)) = table.get(at as usize) {
            self.cursor = end;
            if self.eq_s_b(text) {
                let start = self.cursor;
                if condition.is_none_or(|holds| holds(self, context)) {
                    self.cursor = start;
                    return *number;
                }
            }
            at = *shorter;
        }
        0
    }

    fn replace(&mut self, bra: i32, ket: i32, text: &str) -> i32 {
        let grown = text.len() as i32 - (ket - bra);
        let range = bra as usize..ket as usize;
        if self.current[range.clone()] != *text {
            self.current.to_mut().replace_range(range, text);
        }
        self.limit += grown;
        if self.cursor >= ket {
            self.cursor += grown;
        } else if self.cursor > bra {
            self.cursor = bra;
        }
        grown
    }

    pub(super) fn slice_from(&mut self, text: &str) {
        self.replace(self.bra, self.ket, text);
        self.ket = self.bra + text.len() as i32;
    }

    pub(super) fn slice_del(&mut self) {
        self.slice_from("");
    }

    pub(super) fn slice_to(&self) -> String {
        self.current[self.bra as usize..self.ket as usize].to_owned()
    }

    pub(super) fn insert(&mut self, bra: i32, ket: i32, text: &str) {
        let grown = self.replace(bra, ket, text);
        if bra <= self.bra {
            self.bra += grown;
        }
        if bra <= self.ket {
            self.ket += grown;
        }
    }
}

/// Tells whether bytes come before others, or are the same; most differ in the first.
#[inline]
fn is_at_most(mut bytes: impl Iterator<Item = u8>, mut others: impl Iterator<Item = u8>) -> bool {
    loop {
        match (bytes.next(), others.next()) {
            (None, _) => return true,
            (Some(byte), Some(other)) if byte == other => {}
            (Some(byte), other) => return other.is_some_and(|other| byte < other),
        }
    }
}

/// Tells whether a character is in a set: a bit for each code point from `min` to `max`, lowest bits first.
fn holds(set: &[u8], min: u32, max: u32, character: char) -> bool {
    let code = u32::from(character);
    (min..=max).contains(&code) && set[((code - min) >> 3) as usize] >> ((code - min) & 7) & 1 == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENDINGS: &[Among<()>] = &[
        Among("s", -1, 1, None),
        Among("es", 0, 2, None),
        Among("ies", 1, 3, Some(&|word, ()| word.behind().len() > 1)),
    ];

    fn check(word: &str, number: i32, rest: &str) {
        let mut word = Word::new(word);
        word.cursor = word.limit;
        assert_eq!(word.find_among_b(ENDINGS, &mut ()), number);
        let rest = if number > 0 { rest } else { &word.current };
        assert_eq!(word.behind(), rest.as_bytes());
    }

    #[test]
    fn the_longest_ending_whose_condition_holds_is_found() {
        check("ponies", 3, "pon");
        check("ties", 2, "ti");
        check("cats", 1, "cat");
        check("cat", 0, "");
        check("", 0, "");
    }

    #[test]
    fn an_edit_before_the_cursor_moves_it() {
        let mut word = Word::new("größe");
        (word.bra, word.ket, word.cursor) = (4, 6, word.limit);
        word.slice_from("ss");
        assert_eq!((&*word.current, word.cursor, word.ket), ("grösse", 7, 6));
    }
}
