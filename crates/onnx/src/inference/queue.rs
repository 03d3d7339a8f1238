//! Where items wait until a worker is free, and which of them run together.

use std::collections::VecDeque;
use std::fmt::Debug;

/// An item of a caller, until it is computed.
#[derive(Debug)]
pub(super) struct Waiting<T> {
    /// Whose it is.
    pub(super) caller: u64,
    /// Where it stands among the items that the caller handed over together.
    pub(super) place: usize,
    pub(super) item: T,
}

/// Holds items of all callers, and says what is run next.
///
/// No caller waits for another to have all of its own: they take turns.
pub(super) trait Queue<T>: Debug + Send + 'static {
    /// Takes what a caller hands over; nobody hands over twice.
    fn add(&mut self, caller: u64, items: Vec<T>);

    /// Forgets what a caller still waits for.
    fn take_back(&mut self, caller: u64);

    /// Takes what is run together next; nothing where nothing waits.
    fn take(&mut self) -> Vec<Waiting<T>>;

    /// Returns how many runs wait, of which it counts no more than `enough`.
    fn runs(&self, enough: usize) -> usize;
}

/// Items that are a run each: a worker takes one of the first caller, who goes to the end.
#[derive(Debug)]
pub(super) struct Turns<T> {
    callers: VecDeque<VecDeque<Waiting<T>>>,
}

impl<T> Turns<T> {
    pub(super) fn new() -> Self {
        Self {
            callers: VecDeque::new(),
        }
    }
}

impl<T: Debug + Send + 'static> Queue<T> for Turns<T> {
    fn add(&mut self, caller: u64, items: Vec<T>) {
        let items = items.into_iter().enumerate();
        let items = items.map(|(place, item)| Waiting {
            caller,
            place,
            item,
        });
        self.callers.push_back(items.collect());
    }

    fn take_back(&mut self, caller: u64) {
        let is_others = |items: &VecDeque<Waiting<T>>| {
            let first = items.front();
            first.is_some_and(|first| first.caller != caller)
        };
        self.callers.retain(is_others);
    }

    fn take(&mut self) -> Vec<Waiting<T>> {
        while let Some(mut items) = self.callers.pop_front() {
            if let Some(item) = items.pop_front() {
                self.callers.push_back(items);
                return vec![item];
            }
        }
        Vec::new()
    }

    fn runs(&self, enough: usize) -> usize {
        let runs: usize = self.callers.iter().map(VecDeque::len).sum();
        runs.min(enough)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(queue: &mut Turns<char>) -> Vec<(u64, usize, char)> {
        let runs = std::iter::from_fn(|| queue.take().pop());
        runs.map(|of| (of.caller, of.place, of.item)).collect()
    }

    #[test]
    fn callers_take_turns() {
        let mut queue = Turns::new();
        queue.add(1, vec!['a', 'b', 'c']);
        queue.add(2, vec!['x']);
        queue.add(3, Vec::new());
        assert_eq!((queue.runs(9), queue.runs(2)), (4, 2));
        let expected = [(1, 0, 'a'), (2, 0, 'x'), (1, 1, 'b'), (1, 2, 'c')];
        assert_eq!(taken(&mut queue), expected);
        assert_eq!(queue.runs(9), 0);
    }

    #[test]
    fn what_is_taken_back_is_not_run() {
        let mut queue = Turns::new();
        queue.add(1, vec!['a', 'b']);
        queue.add(2, vec!['x', 'y']);
        queue.take();
        queue.take_back(1);
        assert_eq!(taken(&mut queue), [(2, 0, 'x'), (2, 1, 'y')]);
    }
}
