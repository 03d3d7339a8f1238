//! Viterbi decoding of hidden states (Viterbi 1967), with jieba's ways at its ends.

use std::ops::Range;

use super::hidden_markov::{HiddenMarkov, Position, State, position};

/// How many states a thread keeps memory for.
const MOST_KEPT: usize = 1 << 20;

/// Viterbi lattice of the characters so far; its buffers are reused from run to run.
#[derive(Debug, Default)]
pub(super) struct HiddenStates {
    /// The states of all characters, end to end, and for each the place of the one before it among the states before.
    states: Vec<(State, u8)>,
    /// Where the states of each character end.
    ends: Vec<usize>,
    /// The logarithms of the probabilities of the last character's states, and of those before.
    scores: Vec<f64>,
    scores_before: Vec<f64>,
    path: Vec<State>,
}

impl HiddenStates {
    /// Returns the most probable states of the first characters, one each, as jieba's `viterbi` finds them: equally
    /// probable ones by number, highest first, and whatever state is most probable at the end.
    ///
    /// They are those of all characters, but where no state goes on, which jieba fails at; at least one.
    pub(super) fn find(
        &mut self,
        model: &HiddenMarkov,
        characters: impl Iterator<Item = char>,
    ) -> &[State] {
        self.states.clear();
        self.ends.clear();
        self.scores.clear();
        for (at, character) in characters.enumerate() {
            let found = if at == 0 {
                self.begin(model, character)
            } else {
                self.step(model, model.candidates(character))
                    || self.step(model, &model.all(character))
            };
            if !found {
                break;
            }
        }
        self.trace()
    }

    /// Takes the states of the first character.
    fn begin(&mut self, model: &HiddenMarkov, character: char) -> bool {
        let mut begin = |candidates: &[(State, f64)]| {
            for (state, shows) in candidates {
                self.states.push((*state, 0));
                self.scores.push(model.start(*state) + shows);
            }
        };
        match model.candidates(character) {
            [] => begin(&model.all(character)),
            candidates => begin(candidates),
        }
        self.ends.push(self.states.len());
        true
    }

    /// Adds the states of one more character that follow one of those before; tells whether there are any.
    fn step(&mut self, model: &HiddenMarkov, candidates: &[(State, f64)]) -> bool {
        let before = self.last();
        let (begins, ends, middles, singles) = groups(&self.states[before.clone()]);
        std::mem::swap(&mut self.scores, &mut self.scores_before);
        self.scores.clear();
        for (state, shows) in candidates {
            // A word begins where one has ended, and ends or goes on where one has begun.
            let groups = match position(*state) {
                Position::Begin | Position::Single => [ends.clone(), singles.clone()],
                Position::End | Position::Middle => [begins.clone(), middles.clone()],
            };
            let follows = model.before(*state);
            let (mut best, mut way) = (f64::NEG_INFINITY, 0);
            for place in groups.into_iter().flatten() {
                let from = usize::from(self.states[before.start + place].0);
                // In the order in which jieba adds them: equal sums have to be equal here.
                let score = self.scores_before[place] + follows[from] + shows;
                if score >= best {
                    (best, way) = (score, place);
                }
            }
            if best > f64::NEG_INFINITY {
                self.states.push((*state, way as u8));
                self.scores.push(best);
            }
        }
        let found = !self.scores.is_empty();
        if found {
            self.ends.push(self.states.len());
        } else {
            std::mem::swap(&mut self.scores, &mut self.scores_before);
        }
        found
    }

    /// Gives memory back that few texts need.
    pub(super) fn release_if_huge(&mut self) {
        if self.states.capacity() > MOST_KEPT {
            *self = Self::default();
        }
    }

    /// Returns where the last character's states are.
    fn last(&self) -> Range<usize> {
        self.range(self.ends.len() - 1)
    }

    fn range(&self, at: usize) -> Range<usize> {
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        start..self.ends[at]
    }

    /// Goes the way back from the most probable state of the last character.
    fn trace(&mut self) -> &[State] {
        let mut place = 0;
        for (at, score) in self.scores.iter().enumerate() {
            if *score >= self.scores[place] {
                place = at;
            }
        }
        self.path.clear();
        for at in (0..self.ends.len()).rev() {
            let (state, before) = self.states[self.range(at).start + place];
            self.path.push(state);
            place = usize::from(before);
        }
        self.path.reverse();
        &self.path
    }
}

/// Returns where the states of each position lie in states that ascend.
fn groups(states: &[(State, u8)]) -> (Range<usize>, Range<usize>, Range<usize>, Range<usize>) {
    let up_to = |last: u8| states.partition_point(|(state, _)| state / 64 < last);
    let (ends, middles, singles) = (up_to(1), up_to(2), up_to(3));
    (
        0..ends,
        ends..middles,
        middles..singles,
        singles..states.len(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let model = HiddenMarkov::built_in();
        let mut found = HiddenStates::default();
        let states = found.find(model, text.chars());
        let shown: Vec<_> = states
            .iter()
            .map(|state| format!("{:?} {}", position(*state), model.tag(*state)))
            .collect();
        assert_eq!(shown.join(", "), expected, "{text}");
    }

    // From jieba.posseg.viterbi.
    #[test]
    fn states_are_jiebas() {
        check("杭研", "Single j, Begin vn");
        check("王小明", "Begin nr, Middle nr, End nr");
        check("龘靐齉", "Single y, Single x, Single zg");
    }
}
