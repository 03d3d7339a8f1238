//! The texts at either end.

/// How many are kept.
const KEPT: usize = 3;

/// How much of a text is kept, in characters.
const SHOWN: usize = 200;

/// A text, as much of it as is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    /// How long the whole of it is, in characters.
    pub characters: u64,
    /// Its beginning, at most 200 characters.
    pub beginning: String,
}

impl Example {
    /// Tells whether the text goes on behind its beginning.
    pub fn is_cut(&self) -> bool {
        self.characters > SHOWN as u64
    }
}

/// The shortest or the longest texts of those that went by; of texts of one length, the first by their beginnings.
#[derive(Debug)]
pub(super) struct Extremes {
    is_longest: bool,
    /// In the order in which they are shown.
    kept: Vec<Example>,
}

impl Extremes {
    pub(super) fn new(is_longest: bool) -> Self {
        Self {
            is_longest,
            kept: Vec::with_capacity(KEPT + 1),
        }
    }

    pub(super) fn add(&mut self, text: &str, characters: u64) {
        let is_in = |last: &Example| match self.is_longest {
            true => characters >= last.characters,
            false => characters <= last.characters,
        };
        if self.kept.len() == KEPT && !self.kept.last().is_some_and(is_in) {
            return;
        }
        self.insert(Example {
            characters,
            beginning: text.chars().take(SHOWN).collect(),
        });
    }

    pub(super) fn merge(&mut self, other: Self) {
        for example in other.kept {
            self.insert(example);
        }
    }

    fn insert(&mut self, example: Example) {
        let rank = |example: &Example| match self.is_longest {
            true => u64::MAX - example.characters,
            false => example.characters,
        };
        let key = (rank(&example), &example.beginning);
        let place = self
            .kept
            .binary_search_by(|kept| (rank(kept), &kept.beginning).cmp(&key));
        // A text that is there already says nothing new.
        if let Err(place) = place {
            self.kept.insert(place, example);
            self.kept.truncate(KEPT);
        }
    }

    pub(super) fn finish(self) -> Vec<Example> {
        self.kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_and_the_shortest_are_kept_once_in_any_order() {
        let texts = ["aaaa", "b", "ccc", "b", "dd", "eeeee", "ff"];
        for turned in 0..texts.len() {
            let mut found = [true, false].map(Extremes::new);
            for text in texts.iter().cycle().skip(turned).take(texts.len()) {
                for extremes in &mut found {
                    extremes.add(text, text.len() as u64);
                }
            }
            let [longest, shortest] = found.map(|extremes| {
                let kept = extremes.finish().into_iter();
                kept.map(|example| example.beginning).collect::<Vec<_>>()
            });
            assert_eq!(longest, ["eeeee", "aaaa", "ccc"]);
            assert_eq!(shortest, ["b", "dd", "ff"]);
        }
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        let mut longest = Extremes::new(true);
        longest.add(&"é".repeat(1000), 1000);
        let kept = longest.finish();
        assert_eq!(
            (kept[0].characters, kept[0].beginning.chars().count()),
            (1000, 200)
        );
        assert!(kept[0].is_cut());
    }
}
