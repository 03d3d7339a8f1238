//! Parameters of posseg's hidden Markov model.

use std::ops::Range;
use std::sync::LazyLock;

use crate::packed::Packed;

/// How a character stands in its word: begins it, ends it, stands in its middle, is it. The order is that of their letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Position {
    Begin,
    End,
    Middle,
    Single,
}

/// A position and a tag, as a number: 64 times the one plus the other.
pub(super) type State = u8;

pub(super) const STATES: usize = 256;
const TAGS: usize = 64;

/// The logarithm of a probability that jieba takes for none.
const NEVER: f64 = -3.14e100;

/// The characters that the model is asked about.
const CHARACTERS: Range<usize> = 0x4e00..0x9fd6;

/// Returns the position in a state.
#[inline]
pub(super) fn position(state: State) -> Position {
    match state / TAGS as u8 {
        0 => Position::Begin,
        1 => Position::End,
        2 => Position::Middle,
        _ => Position::Single,
    }
}

/// Logarithms of probabilities, as jieba's tables have them.
#[derive(Debug)]
pub(super) struct HiddenMarkov {
    tags: Vec<&'static str>,
    /// Of a state at the start.
    start: Vec<f64>,
    /// Of one state behind another: 256 times the later plus the earlier. Minus infinity for what never follows.
    follow: Vec<f64>,
    /// The entries of each character: those of the table from the first place, others from the second.
    characters: Vec<(u32, u32)>,
    /// States and the probability that they show the character.
    entries: Vec<(State, f64)>,
}

impl HiddenMarkov {
    /// Returns jieba's model; read when first asked for, once a process.
    pub(super) fn built_in() -> &'static Self {
        static BUILT_IN: LazyLock<HiddenMarkov> =
            LazyLock::new(|| HiddenMarkov::read(include_bytes!("posseg.bin")));
        &BUILT_IN
    }

    /// Reads the file that `python/posseg_model.py` writes, which says what is in it.
    fn read(file: &'static [u8]) -> Self {
        let mut reader = Packed(file);
        let tags = reader.line().split(' ').collect();
        let values = reader.table();
        let value = |place: u16| values[usize::from(place & 0x7fff)];
        let start = (0..STATES).map(|_| value(reader.u16())).collect();
        let mut follow = vec![f64::NEG_INFINITY; STATES * STATES];
        for from in 0..STATES {
            for _ in 0..reader.u8() {
                let to = usize::from(reader.u8());
                follow[to * STATES + from] = value(reader.u16());
            }
        }
        let (mut characters, mut entries) = (Vec::new(), Vec::new());
        let mut others = Vec::new();
        for _ in 0..reader.u16() {
            let at = usize::from(reader.u16()) - CHARACTERS.start;
            // Characters that the model doesn't know have no entries.
            characters.resize(at, (entries.len() as u32, entries.len() as u32));
            let first = entries.len() as u32;
            for _ in 0..reader.u8() {
                let (state, place) = (reader.u8(), reader.u16());
                let is_of_table = place < 0x8000;
                let kept = if is_of_table {
                    &mut entries
                } else {
                    &mut others
                };
                kept.push((state, value(place)));
            }
            characters.push((first, entries.len() as u32));
            entries.append(&mut others);
        }
        let end = (entries.len() as u32, entries.len() as u32);
        characters.resize(CHARACTERS.len() + 1, end);
        Self {
            tags,
            start,
            follow,
            characters,
            entries,
        }
    }

    /// Returns the tag in a state.
    pub(super) fn tag(&self, state: State) -> &'static str {
        self.tags[usize::from(state) % TAGS]
    }

    /// Returns the logarithm of a state's probability at the start.
    pub(super) fn start(&self, state: State) -> f64 {
        self.start[usize::from(state)]
    }

    /// Returns the logarithms of the probabilities that `to` follows each state.
    #[inline]
    pub(super) fn before(&self, to: State) -> &[f64] {
        &self.follow[usize::from(to) * STATES..][..STATES]
    }

    /// Returns the states that the table gives a character, ascending, each with the logarithm of the probability that it
    /// shows the character; none for a character that is not in the table.
    #[inline]
    pub(super) fn candidates(&self, character: char) -> &[(State, f64)] {
        let (first, others) = self.characters[self.at(character)];
        &self.entries[first as usize..others as usize]
    }

    /// Returns all states in the same way.
    pub(super) fn all(&self, character: char) -> [(State, f64); STATES] {
        let at = self.at(character);
        let (first, end) = (self.characters[at].0, self.characters[at + 1].0);
        let mut all = std::array::from_fn(|state| (state as State, NEVER));
        for (state, shows) in &self.entries[first as usize..end as usize] {
            all[usize::from(*state)].1 = *shows;
        }
        all
    }

    fn at(&self, character: char) -> usize {
        (character as usize).clamp(CHARACTERS.start, CHARACTERS.end - 1) - CHARACTERS.start
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_jiebas() {
        let model = HiddenMarkov::built_in();
        assert_eq!(model.tags.len(), TAGS);
        assert!(model.tags.is_sorted());
        let state = |position: usize, tag: &str| {
            let tag = model.tags.iter().position(|known| *known == tag);
            (position * TAGS + tag.expect("a tag")) as State
        };
        let (begin, end) = (state(0, "a"), state(1, "a"));
        // From prob_start.py, prob_trans.py, prob_emit.py and char_state_tab.py.
        assert_eq!(model.start(begin), -4.762_305_214_596_967);
        assert_eq!(
            model.before(end)[usize::from(begin)],
            -0.005_064_845_306_964_875_5
        );
        assert_eq!(model.before(begin)[usize::from(begin)], f64::NEG_INFINITY);
        assert!(
            model
                .candidates('一')
                .contains(&(begin, -3.618_715_666_782_108))
        );
        assert_eq!(
            model.all('一')[usize::from(begin)].1,
            -3.618_715_666_782_108
        );
        assert_eq!(model.candidates('\u{9fd5}'), []);
        assert_eq!(model.all('\u{9fd5}')[0].1, NEVER);
        let given: usize = ('\u{4e00}'..='\u{9fd5}')
            .map(|character| model.candidates(character).len())
            .sum();
        assert_eq!(given, 66_162);
    }
}
