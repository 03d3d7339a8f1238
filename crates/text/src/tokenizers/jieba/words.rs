//! Double-array trie (Aoe 1989): from a character to the next by one look into one array.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::num::NonZeroU32;

/// More beginnings of words, or different frequencies, than there are numbers for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooManyWords;

impl std::fmt::Display for TooManyWords {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "expected a dictionary of at most {} beginnings of words and {} frequencies with tags, found more",
            Node::FOLLOWERS,
            Node::ENTRY
        )
    }
}

impl std::error::Error for TooManyWords {}

/// Characters that have a code in a table; the few others are in a map.
const TABLE: usize = 0x1_0000;

/// Where a beginning of words leads: the code of its last character, where the characters that follow are, and the number of
/// the word's entry, 0 for what is no word. A node of nothing is 0.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Node(u64);

impl Node {
    const CODE: u64 = (1 << 20) - 1;
    const ENTRY: u64 = (1 << 20) - 1;
    const FOLLOWERS: u64 = (1 << 24) - 1;

    fn try_new(code: u32, entry: u32, followers: usize) -> Result<Self, TooManyWords> {
        let (code, entry, followers) = (u64::from(code), u64::from(entry), followers as u64);
        let fits = code <= Self::CODE && entry <= Self::ENTRY && followers <= Self::FOLLOWERS;
        let node = Self(code | entry << 20 | followers << 40);
        if fits { Ok(node) } else { Err(TooManyWords) }
    }

    #[inline]
    fn code(self) -> u32 {
        (self.0 & Self::CODE) as u32
    }

    /// Returns the number of the entry of the word that ends here, or 0.
    #[inline]
    pub(super) fn entry(self) -> u32 {
        (self.0 >> 20 & Self::ENTRY) as u32
    }

    /// Tells whether words begin here.
    pub(super) fn leads_on(self) -> bool {
        self.entry() != 0 || self.followers() != 0
    }

    /// Returns where the code of a follower is counted from, or 0 where there are none.
    #[inline]
    fn followers(self) -> usize {
        (self.0 >> 40) as usize
    }
}

/// Words, each with the number of an entry.
#[derive(Debug, Clone)]
pub(super) struct Words {
    /// The code of each character, 0 for one that is in no word.
    codes: Vec<u32>,
    rare: HashMap<char, u32>,
    /// Where the first characters lead, by their code.
    first: Vec<Node>,
    /// Where the others lead: what is counted from differs from node to node, so that the code tells whether a place is theirs.
    nodes: Vec<Node>,
}

impl Words {
    /// Takes words with their entries, which count from 1; of equal words the last.
    pub(super) fn try_new(words: &[(&str, NonZeroU32)]) -> Result<Self, TooManyWords> {
        let (codes, rare, count) = codes(words);
        let mut made = Self {
            codes,
            rare,
            first: vec![Node::default(); count + 1],
            nodes: Vec::new(),
        };
        let tree = Tree::new(words, |character| made.code(character));
        let mut places = Places::default();
        let mut followers = vec![0; tree.entries.len()];
        let mut order: Vec<usize> = (1..tree.entries.len()).collect();
        order.retain(|node| !tree.edges(*node).is_empty());
        // Whoever has many followers finds room first; whoever has one fits anywhere.
        order.sort_by_key(|node| Reverse(tree.edges(*node).len()));
        for node in order {
            followers[node] = places.take(tree.edges(node));
        }
        let node = |(code, at): &(u32, u32)| {
            Node::try_new(*code, tree.entries[*at as usize], followers[*at as usize])
        };
        for edge in tree.edges(0) {
            made.first[edge.0 as usize] = node(edge)?;
        }
        // A code is looked for behind every place that is counted from.
        made.nodes = vec![Node::default(); places.end + count + 1];
        for (at, base) in followers.iter().enumerate().skip(1) {
            for edge in tree.edges(at) {
                made.nodes[base + edge.0 as usize] = node(edge)?;
            }
        }
        Ok(made)
    }

    /// Returns the code of a character, 0 for one that is in no word.
    #[inline]
    pub(super) fn code(&self, character: char) -> u32 {
        match self.codes.get(character as usize) {
            Some(code) => *code,
            None => self.rare.get(&character).copied().unwrap_or(0),
        }
    }

    /// Returns where a text's first character leads.
    #[inline]
    pub(super) fn first(&self, code: u32) -> Node {
        self.first[code as usize]
    }

    /// Returns where the next character leads.
    #[inline]
    pub(super) fn next(&self, node: Node, code: u32) -> Option<Node> {
        let found = match node.followers() {
            0 => return None,
            followers => self.nodes[followers + code as usize],
        };
        // One in no word finds what is free, or another's.
        (found.code() == code).then_some(found)
    }

    /// Brings the place of a follower near, if there is one.
    #[inline]
    pub(super) fn fetch(&self, node: Node, code: u32) {
        if node.followers() != 0 {
            std::hint::black_box(self.nodes[node.followers() + code as usize]);
        }
    }

    /// Returns the number of a word's entry, or 0.
    pub(super) fn entry(&self, word: &str) -> u32 {
        let mut codes = word.chars().map(|character| self.code(character));
        let first = codes.next().map(|code| self.first(code));
        let last =
            first.and_then(|first| codes.try_fold(first, |node, code| self.next(node, code)));
        last.map_or(0, Node::entry)
    }
}

/// Gives a code to each character of the words, those that follow others most often first: the smaller the codes, the denser
/// the array. Returns how many there are, too.
fn codes(words: &[(&str, NonZeroU32)]) -> (Vec<u32>, HashMap<char, u32>, usize) {
    let mut counts = vec![0_u32; char::MAX as usize + 1];
    for (word, _) in words {
        for (at, character) in word.char_indices() {
            let count = &mut counts[character as usize];
            *count = count.saturating_add(if at == 0 { 1 } else { 1 << 8 });
        }
    }
    let mut characters: Vec<usize> = (0..counts.len()).filter(|at| counts[*at] > 0).collect();
    characters.sort_by_key(|at| Reverse(counts[*at]));
    let (mut codes, mut rare) = (vec![0; TABLE], HashMap::new());
    for (character, code) in characters.iter().zip(1..) {
        match codes.get_mut(*character) {
            Some(place) => *place = code,
            None => {
                rare.extend(char::from_u32(*character as u32).map(|character| (character, code)));
            }
        }
    }
    (codes, rare, characters.len())
}

/// Which character leads where, as lists.
struct Tree {
    /// The entry of each node, or 0; the first node is the beginning.
    entries: Vec<u32>,
    /// Where the edges of each node are.
    ranges: Vec<(u32, u32)>,
    /// Codes and the nodes that they lead to; those of a node stand together, and their codes ascend.
    edges: Vec<(u32, u32)>,
}

impl Tree {
    fn new(words: &[(&str, NonZeroU32)], code: impl Fn(char) -> u32) -> Self {
        let (mut codes, mut ends) = (Vec::new(), vec![0]);
        for (word, _) in words {
            codes.extend(word.chars().map(&code));
            ends.push(codes.len());
        }
        let word = |at: u32| &codes[ends[at as usize]..ends[at as usize + 1]];
        // The first six codes as a number: they tell most words apart.
        let key = |at: u32| {
            let mut codes = word(at).iter();
            (0..6).fold(0_u128, |key, _| {
                key << 20 | codes.next().map_or(0, |code| u128::from(*code))
            })
        };
        let mut sorted: Vec<_> = (0..words.len() as u32).map(|at| (key(at), at)).collect();
        sorted.sort_unstable_by(|(one_key, one), (other_key, other)| {
            let by_key = one_key.cmp(other_key);
            by_key.then_with(|| (word(*one), one).cmp(&(word(*other), other)))
        });
        let mut tree = Self {
            entries: vec![0],
            ranges: vec![(0, 0)],
            edges: Vec::new(),
        };
        // Nodes whose words have not been looked at: these from the first to before the last, and so many codes lead there.
        let mut open = vec![(0, 0, sorted.len(), 0)];
        while let Some((node, mut from, to, depth)) = open.pop() {
            while from < to && word(sorted[from].1).len() == depth {
                tree.entries[node] = words[sorted[from].1 as usize].1.get();
                from += 1;
            }
            let first = tree.edges.len() as u32;
            for alike in sorted[from..to]
                .chunk_by(|(_, one), (_, other)| word(*one)[depth] == word(*other)[depth])
            {
                let next = tree.entries.len();
                tree.entries.push(0);
                tree.ranges.push((0, 0));
                tree.edges.push((word(alike[0].1)[depth], next as u32));
                open.push((next, from, from + alike.len(), depth + 1));
                from += alike.len();
            }
            tree.ranges[node] = (first, tree.edges.len() as u32);
        }
        tree
    }

    fn edges(&self, node: usize) -> &[(u32, u32)] {
        let (first, end) = self.ranges[node];
        &self.edges[first as usize..end as usize]
    }
}

/// Which places of the array are taken.
#[derive(Default)]
struct Places {
    taken: Vec<u64>,
    /// The places that followers are counted from.
    bases: Vec<u64>,
    /// Behind the last place that is taken.
    end: usize,
    /// Where the last search ended: what is before has no room for as many followers.
    from: usize,
    /// How many followers were looked for when a search began at the first place.
    most: usize,
}

impl Places {
    /// Takes places for followers, and returns where their codes are counted from.
    fn take(&mut self, edges: &[(u32, u32)]) -> usize {
        // For fewer followers there is room before.
        if self.most == 0 || edges.len() * 4 < self.most {
            (self.most, self.from) = (edges.len(), 0);
        }
        let first = edges[0].0 as usize;
        let mut at = self.from.max(first + 1);
        let base = loop {
            at = self.free_from(at);
            let base = at - first;
            let mut others = edges[1..].iter();
            if !has(&self.bases, base)
                && others.all(|(code, _)| !has(&self.taken, base + *code as usize))
            {
                break base;
            }
            at += 1;
        };
        self.from = at;
        set(&mut self.bases, base);
        for (code, _) in edges {
            let place = base + *code as usize;
            set(&mut self.taken, place);
            self.end = self.end.max(place + 1);
        }
        base
    }

    /// Returns the first free place from one on.
    fn free_from(&self, at: usize) -> usize {
        let mut word = at / 64;
        let mut free = !self.taken.get(word).copied().unwrap_or(0) & (u64::MAX << (at % 64));
        while free == 0 {
            word += 1;
            free = !self.taken.get(word).copied().unwrap_or(0);
        }
        word * 64 + free.trailing_zeros() as usize
    }
}

fn has(bits: &[u64], at: usize) -> bool {
    bits.get(at / 64)
        .is_some_and(|word| word >> (at % 64) & 1 == 1)
}

fn set(bits: &mut Vec<u64>, at: usize) {
    if bits.len() <= at / 64 {
        bits.resize((at / 64 + 1).next_power_of_two(), 0);
    }
    bits[at / 64] |= 1 << (at % 64);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(words: &[String], others: &[String]) {
        let numbered: Vec<_> = words
            .iter()
            .zip(1..)
            .map(|(word, at)| (word.as_str(), NonZeroU32::new(at).expect("from 1")))
            .collect();
        let made = Words::try_new(&numbered).expect("few words");
        let known: HashMap<_, _> = numbered.iter().copied().collect();
        for word in words.iter().chain(others) {
            let expected = known.get(word.as_str()).map_or(0, |entry| entry.get());
            assert_eq!(made.entry(word), expected, "{word:?} in {words:?}");
        }
    }

    proptest! {
        #[test]
        fn a_word_is_found_and_nothing_else_is(
            words in prop::collection::vec("[ab中国𠀀]{1,5}|\\PC{1,9}", 0..200),
            others in prop::collection::vec("[abc中国人𠀀]{0,6}", 100),
        ) {
            check(&words, &others);
        }
    }

    #[test]
    fn more_entries_than_a_node_counts_are_refused() {
        let entry = NonZeroU32::new(1 << 20).expect("not 0");
        let made = Words::try_new(&[("中", entry)]);
        assert_eq!(made.err(), Some(TooManyWords));
    }
}
