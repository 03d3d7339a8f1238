//! Texts of similar length share a run: little padding, bounded memory.

use std::ops::Range;

/// Returns which items, ascending by length, share a run with the one at `at`: at most `most` padded tokens, or that
/// item alone where it is longer.
///
/// A run's padded tokens are its number of items times its longest. Nothing in it is longer than the one at `at`.
pub(super) fn run_with<T>(
    sorted: &[T],
    at: usize,
    most: usize,
    length: impl Fn(&T) -> usize,
) -> Range<usize> {
    let longest = length(&sorted[at]).max(1);
    let texts = (most / longest).max(1);
    // Those behind it that are as long fit as well as those before it.
    let alike = sorted[at..].partition_point(|item| length(item) <= longest);
    let end = at + alike.min(texts);
    let start = end.saturating_sub(texts);
    // A run is cut short where its shortest text would be mostly padding.
    let enough = longest - longest / 8;
    let first = start + sorted[start..end].partition_point(|item| length(item) < enough);
    if end - first >= FEW {
        first..end
    } else {
        start.max(end.saturating_sub(FEW))..end
    }
}

/// A run of fewer texts than these wastes more on its start than on padding.
const FEW: usize = 8;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn run(lengths: &[usize], at: usize, most: usize) -> Range<usize> {
        run_with(lengths, at, most, |length| *length)
    }

    proptest! {
        #[test]
        fn a_run_has_what_it_is_made_for_and_is_not_too_large(
            mut lengths in proptest::collection::vec(1usize..600, 1..300),
            at in any::<proptest::sample::Index>(),
            most in 1usize..5000,
        ) {
            lengths.sort_unstable();
            let at = at.index(lengths.len());
            let run = run(&lengths, at, most);
            prop_assert!(run.contains(&at));
            prop_assert!(run.len() == 1 || run.len() * lengths[at] <= most);
            prop_assert_eq!(lengths[run.end - 1], lengths[at]);
        }
    }

    #[test]
    fn texts_of_one_length_fill_a_run() {
        assert_eq!(run(&[10; 25], 24, 100), 15..25);
        assert_eq!(run(&[10; 25], 3, 100), 3..13);
    }

    #[test]
    fn texts_that_are_much_shorter_stay_out_where_there_are_enough_others() {
        // Of 20 texts, 9 have at least seven eighths of the longest's length; of the second 20, only 2.
        let many: Vec<_> = [10; 11].into_iter().chain([70; 8]).chain([80]).collect();
        assert_eq!(run(&many, 19, 10_000), 11..20);
        let few: Vec<_> = [10; 18].into_iter().chain([80; 2]).collect();
        assert_eq!(run(&few, 19, 10_000), 12..20);
    }
}
