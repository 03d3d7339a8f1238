//! Texts of similar length share a run: little padding, bounded memory.

use std::ops::Range;

/// Cuts lengths, ascending, into runs of at most `most` padded tokens each; a text longer than that has a run of its own.
///
/// A run's padded tokens are its number of texts times its longest.
pub(super) fn pack(lengths: &[usize], most: usize) -> Vec<Range<usize>> {
    let mut runs = Vec::new();
    // From the longest: the largest tensors come first, and memory does not grow after them.
    let mut end = lengths.len();
    while end > 0 {
        let longest = lengths[end - 1].max(1);
        let texts = (most / longest).clamp(1, end);
        // A run is cut short where its shortest text would be mostly padding.
        let start = end - texts;
        let enough = longest - longest / 8;
        let first = start + lengths[start..end].partition_point(|length| *length < enough);
        let start = if end - first >= FEW {
            first.min(end - 1)
        } else {
            start.max(end.saturating_sub(FEW))
        };
        runs.push(start..end);
        end = start;
    }
    runs
}

/// A run of fewer texts than these wastes more on its start than on padding.
const FEW: usize = 8;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_text_is_in_one_run_and_no_run_is_too_large(mut lengths in proptest::collection::vec(1usize..600, 0..300), most in 1usize..5000) {
            lengths.sort_unstable();
            let runs = pack(&lengths, most);
            let mut end = lengths.len();
            for run in &runs {
                prop_assert_eq!(run.end, end);
                prop_assert!(run.start < run.end);
                prop_assert!(run.len() == 1 || run.len() * lengths[run.end - 1] <= most);
                end = run.start;
            }
            prop_assert_eq!(end, 0);
        }
    }

    #[test]
    fn texts_of_one_length_fill_their_runs() {
        assert_eq!(pack(&[10; 25], 100), [15..25, 5..15, 0..5]);
    }
}
