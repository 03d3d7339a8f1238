//! Segmentation of unknown words by jieba's hidden Markov model (Viterbi 1967).

use std::ops::RangeInclusive;
use std::sync::LazyLock;

use crate::packed::Packed;

/// How a character stands in its word: begins it, ends it, stands in its middle, is it.
const BEGIN: usize = 0;
const END: usize = 1;
const SINGLE: usize = 3;
const STATES: usize = 4;

/// The states that each follows; of two that are equally probable jieba takes the second.
const BEFORE: [[usize; 2]; STATES] = [[END, SINGLE], [BEGIN, 2], [BEGIN, 2], [END, SINGLE]];

/// The characters that the model is asked about.
const CHARACTERS: RangeInclusive<char> = '\u{4e00}'..='\u{9fd5}';

/// Logarithms of probabilities, as jieba's tables have them.
#[derive(Debug)]
struct Numbers {
    start: [f64; STATES],
    /// How probable a state is behind another, the earlier one first.
    follow: [[f64; STATES]; STATES],
    /// How probable each state shows a character; the first are those of characters that the model doesn't know.
    shows: Vec<[f64; STATES]>,
    /// Where each character has them.
    places: Vec<u16>,
}

impl Numbers {
    /// Returns jieba's; read when first asked for, once a process.
    fn built_in() -> &'static Self {
        static BUILT_IN: LazyLock<Numbers> =
            LazyLock::new(|| Numbers::read(include_bytes!("finalseg.bin")));
        &BUILT_IN
    }

    /// Reads the file that `python/jieba_model.py` writes, which says what is in it.
    fn read(file: &'static [u8]) -> Self {
        let mut file = Packed(file);
        let values = file.table();
        let mut four = || std::array::from_fn(|_| values[usize::from(file.u16())]);
        let start = four();
        let follow = std::array::from_fn(|_| four());
        let mut shows = vec![[values[0]; STATES]];
        let mut places = vec![0; CHARACTERS.count()];
        for _ in 0..file.u16() {
            places[usize::from(file.u16()) - *CHARACTERS.start() as usize] = shows.len() as u16;
            shows.push(std::array::from_fn(|_| values[usize::from(file.u16())]));
        }
        Self {
            start,
            follow,
            shows,
            places,
        }
    }

    #[inline]
    fn shows(&self, character: char) -> &[f64; STATES] {
        let at = (character as usize).wrapping_sub(*CHARACTERS.start() as usize);
        &self.shows[usize::from(self.places.get(at).copied().unwrap_or(0))]
    }
}

/// The most probable states behind characters; kept between runs for its memory.
#[derive(Debug, Default)]
pub(super) struct HiddenStates {
    /// For each state of each character but the first, the state before it.
    before: Vec<[u8; STATES]>,
    states: Vec<u8>,
}

impl HiddenStates {
    /// Calls `each` with the words of characters, which begin in a text at `starts`, the end of the last one included.
    pub(super) fn for_each_word(
        &mut self,
        text: &str,
        starts: &[u32],
        mut each: impl FnMut(usize, usize),
    ) {
        let place = |at: usize| starts[at] as usize;
        let count = starts.len() - 1;
        self.find(text[place(0)..place(count)].chars());
        let (mut begin, mut written) = (0, 0);
        for (at, state) in self.states.iter().enumerate() {
            match usize::from(*state) {
                BEGIN => begin = at,
                END => {
                    each(place(begin), place(at + 1));
                    written = at + 1;
                }
                SINGLE => {
                    each(place(at), place(at + 1));
                    written = at + 1;
                }
                _ => {}
            }
        }
        if written < count {
            each(place(written), place(count));
        }
    }

    /// Finds the states of one or more characters, one each.
    fn find(&mut self, mut characters: std::str::Chars<'_>) {
        let numbers = Numbers::built_in();
        self.before.clear();
        let Some(first) = characters.next() else {
            return;
        };
        let shows = numbers.shows(first);
        let mut scores: [f64; STATES] = std::array::from_fn(|at| numbers.start[at] + shows[at]);
        for character in characters {
            let shows = numbers.shows(character);
            let mut ways = [0; STATES];
            scores = std::array::from_fn(|state| {
                // In the order in which jieba adds them: equal sums have to be equal here.
                let [one, other] = BEFORE[state]
                    .map(|from| scores[from] + numbers.follow[from][state] + shows[state]);
                let is_other = other >= one;
                ways[state] = BEFORE[state][usize::from(is_other)] as u8;
                if is_other { other } else { one }
            });
            self.before.push(ways);
        }
        let mut state = if scores[END] > scores[SINGLE] {
            END
        } else {
            SINGLE
        } as u8;
        self.states.clear();
        self.states.push(state);
        for ways in self.before.iter().rev() {
            state = ways[usize::from(state)];
            self.states.push(state);
        }
        self.states.reverse();
    }

    /// Gives memory back that few texts need.
    pub(super) fn release_if_huge(&mut self) {
        const MOST_KEPT: usize = 1 << 16;
        if self.states.capacity() > MOST_KEPT {
            *self = Self::default();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_jiebas() {
        let numbers = Numbers::built_in();
        // From finalseg's prob_start.py, prob_trans.py and prob_emit.py.
        assert_eq!(
            numbers.start,
            [
                -0.262_686_608_092_500_16,
                -3.14e100,
                -3.14e100,
                -1.465_263_339_853_767_8
            ]
        );
        assert_eq!(numbers.follow[SINGLE][BEGIN], -0.721_196_565_466_984_1);
        assert_eq!(numbers.follow[BEGIN][BEGIN], -3.14e100);
        assert_eq!(*numbers.shows('\u{9fd5}'), [-3.14e100; STATES]);
        let known = CHARACTERS.filter(|character| numbers.shows(*character)[SINGLE] > -3.14e100);
        assert!(known.count() > 6_000);
    }

    // From jieba.finalseg.cut.
    #[test]
    fn words_are_jiebas() {
        for (text, expected) in [
            ("杭研", "杭研"),
            ("王小明", "王小明"),
            ("龘靐齉", "龘 靐 齉"),
            ("他", "他"),
        ] {
            let mut starts: Vec<u32> = text.char_indices().map(|(at, _)| at as u32).collect();
            starts.push(text.len() as u32);
            let mut words = Vec::new();
            let mut states = HiddenStates::default();
            states.for_each_word(text, &starts, |from, to| words.push(&text[from..to]));
            assert_eq!(words.join(" "), expected);
        }
    }
}
