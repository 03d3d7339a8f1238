//! Work queue of unfinished units, with row-group affinity.

use std::collections::{BTreeSet, VecDeque};
use std::ops::Range;

use crate::input::Unit;

/// Unfinished units that no worker of this process has taken.
///
/// A worker that has done a unit takes the next one of the same row group, which it has open already. A worker without
/// such a unit begins at a row group that no worker is in; where there is none, in the middle of the longest run of units
/// that another worker is heading for.
#[derive(Debug)]
pub(super) struct WorkQueue {
    /// Units that no process is known to hold.
    free: BTreeSet<usize>,
    /// Units that another process held when they were looked at: retried last, in turn.
    held: VecDeque<usize>,
    /// The unit that each worker takes next.
    next: Vec<Option<usize>>,
}

impl WorkQueue {
    pub(super) fn new(units: impl IntoIterator<Item = usize>, workers: usize) -> Self {
        Self {
            free: units.into_iter().collect(),
            held: VecDeque::new(),
            next: vec![None; workers],
        }
    }

    /// Takes a unit for a worker; none where all are taken.
    ///
    /// Units that another process held come last, round-robin.
    pub(super) fn take(&mut self, worker: usize, units: &[Unit]) -> Option<usize> {
        let own = self.next[worker].take();
        let place = own.filter(|next| self.free.contains(next));
        let Some(place) = place.or_else(|| self.elsewhere(units)) else {
            return self.held.pop_front();
        };
        self.free.remove(&place);
        let follows = |next: &usize| is_next(units, *next);
        self.next[worker] = Some(place + 1).filter(follows);
        Some(place)
    }

    /// Puts back a unit that another process holds; returns how many there are to look at before it comes again.
    pub(super) fn put_back(&mut self, worker: usize, unit: usize) -> usize {
        self.next[worker] = None;
        self.held.push_back(unit);
        self.free.len() + self.held.len()
    }

    /// Returns the first unit of a row group where nobody is, or the middle of the longest stretch.
    fn elsewhere(&self, units: &[Unit]) -> Option<usize> {
        let mut longest: Range<usize> = 0..0;
        let mut places = self.free.iter().copied().peekable();
        while let Some(start) = places.next() {
            let mut end = start + 1;
            while places.peek() == Some(&end) && is_next(units, end) {
                places.next();
                end += 1;
            }
            if !self.is_anothers(start, units) {
                return Some(start);
            }
            if end - start > longest.len() {
                longest = start..end;
            }
        }
        (!longest.is_empty()).then(|| longest.start + longest.len() / 2)
    }

    /// Tells whether a worker comes to a unit next, or another process does that holds the one before.
    fn is_anothers(&self, unit: usize, units: &[Unit]) -> bool {
        let is_next_of_held = is_next(units, unit) && self.held.contains(&(unit - 1));
        is_next_of_held || self.next.contains(&Some(unit))
    }
}

/// Tells whether a unit comes behind the one before it in the same row group.
fn is_next(units: &[Unit], unit: usize) -> bool {
    let pair = unit
        .checked_sub(1)
        .and_then(|before| units.get(before..=unit));
    pair.is_some_and(|pair| pair[1].follows(&pair[0]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::UnitRows;

    /// Units of row groups with so many units each.
    fn units(groups: &[u64]) -> Vec<Unit> {
        let of_group = |(row_group, count): (usize, &u64)| {
            (0..*count).map(move |unit| Unit {
                file: 0,
                rows: UnitRows::OfGroup {
                    row_group,
                    rows: unit * 10..unit * 10 + 10,
                    bytes: 1,
                },
                bytes: 1,
                name: String::new(),
            })
        };
        let groups = groups.iter().enumerate();
        groups.flat_map(of_group).collect()
    }

    /// Has workers take units by turns until none is left; returns what each took.
    fn taken(groups: &[u64], workers: usize) -> Vec<Vec<usize>> {
        let units = units(groups);
        let mut queue = WorkQueue::new(0..units.len(), workers);
        let mut taken = vec![Vec::new(); workers];
        for worker in (0..workers).cycle() {
            match queue.take(worker, &units) {
                Some(unit) => taken[worker].push(unit),
                None => break,
            }
        }
        taken
    }

    #[test]
    fn a_worker_goes_on_with_its_row_group_and_others_begin_elsewhere() {
        for (groups, expected) in [
            (&[1, 1, 1, 1][..], [&[0, 2][..], &[1, 3]]),
            (&[3, 3], [&[0, 1, 2], &[3, 4, 5]]),
            (&[2, 2, 2], [&[0, 1, 4], &[2, 3, 5]]),
            // The second begins in the middle.
            (&[8], [&[0, 1, 2, 3], &[4, 5, 6, 7]]),
            // Who comes to an end takes the second half of what the other has left.
            (&[1, 6], [&[0, 4, 5, 6], &[1, 2, 3]]),
            (&[], [&[], &[]]),
        ] {
            assert_eq!(taken(groups, 2), expected, "{groups:?}");
        }
    }

    #[test]
    fn each_unit_is_taken_once() {
        for workers in 1..6 {
            for groups in [&[40][..], &[1, 13, 2, 0, 9], &[7, 7, 7]] {
                let mut all = taken(groups, workers).concat();
                all.sort_unstable();
                let count = groups.iter().sum::<u64>() as usize;
                assert_eq!(all, (0..count).collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn what_another_process_holds_comes_last_and_its_next_unit_is_left_to_it() {
        let units = units(&[6, 1]);
        let mut queue = WorkQueue::new(0..7, 1);
        assert_eq!(queue.take(0, &units), Some(0));
        assert_eq!(queue.put_back(0, 0), 7);
        assert_eq!(queue.take(0, &units), Some(6));
        // The middle of those behind the one that is held.
        assert_eq!(queue.take(0, &units), Some(3));
        assert_eq!(queue.take(0, &units), Some(4));
        assert_eq!(queue.put_back(0, 4), 5);
        assert_eq!(queue.take(0, &units), Some(2));
        let rest: Vec<_> = std::iter::from_fn(|| queue.take(0, &units)).collect();
        assert_eq!(rest, [1, 5, 0, 4]);
    }
}
