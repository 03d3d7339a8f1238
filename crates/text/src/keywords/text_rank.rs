//! TextRank over the co-occurrence graph of a text's words, as jieba has it.

use hashbrown::HashMap;

/// Pairs of words at most this far apart are counted.
const WINDOW: usize = 4;
const ROUNDS: usize = 10;
const DAMPING: f64 = 0.85;

/// Returns the words of a text that stand near others, by word in byte order, with how central they are among them, as
/// jieba 0.42.1's `jieba.analyse.textrank` (Mihalcea and Tarau 2004).
///
/// `words` are all words of the text in order; those that may be no keywords are `None`. Two that may, no more than 4
/// words apart, are an edge, as often as they are. From 1 / words for each, ten rounds, in the order of the result, set
/// each to 0.15 + 0.85 Σ (weight of an edge / weights at its other end) · score there; then (score − least / 10) /
/// (greatest − least / 10). One word that never stands near another has no score. Memory is for the words and their
/// pairs.
pub(super) fn text_rank<'a>(words: &[Option<&'a str>]) -> Vec<(&'a str, f64)> {
    let mut pairs = HashMap::<(&str, &str), u32>::new();
    for (at, first) in words.iter().enumerate() {
        let Some(first) = first else { continue };
        let behind = &words[at + 1..words.len().min(at + 1 + WINDOW)];
        for second in behind.iter().flatten() {
            *pairs.entry((first, second)).or_default() += 1;
        }
    }
    let mut nodes: Vec<_> = pairs.keys().flat_map(|pair| [pair.0, pair.1]).collect();
    nodes.sort_unstable();
    nodes.dedup();
    let scores = ranked(nodes.len(), &edges(&pairs, &nodes));
    nodes.into_iter().zip(scores).collect()
}

/// An end of an edge: the node, the one at the other end, the weight.
type End = (u32, u32, f64);

/// Returns both ends of every pair, by node.
fn edges(pairs: &HashMap<(&str, &str), u32>, nodes: &[&str]) -> Vec<End> {
    let numbers: HashMap<_, _> = nodes.iter().copied().zip(0_u32..).collect();
    let mut ends: Vec<End> = pairs
        .iter()
        .flat_map(|((first, second), count)| {
            let (first, second) = (numbers[first], numbers[second]);
            let weight = f64::from(*count);
            [(first, second, weight), (second, first, weight)]
        })
        .collect();
    ends.sort_unstable_by(|a, b| (a.0, a.1).cmp(&(b.0, b.1)).then(a.2.total_cmp(&b.2)));
    ends
}

fn ranked(nodes: usize, ends: &[End]) -> Vec<f64> {
    let mut weights = vec![0.0; nodes];
    for (node, _, weight) in ends {
        weights[*node as usize] += weight;
    }
    let mut scores = vec![1.0 / nodes as f64; nodes];
    for _ in 0..ROUNDS {
        for ends in ends.chunk_by(|a, b| a.0 == b.0) {
            let share = |(_, other, weight): &End| {
                let other = *other as usize;
                weight / weights[other] * scores[other]
            };
            let sum: f64 = ends.iter().map(share).sum();
            scores[ends[0].0 as usize] = (1.0 - DAMPING) + DAMPING * sum;
        }
    }
    let least = scores.iter().copied().fold(f64::MAX, f64::min) / 10.0;
    let greatest = scores.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
    for score in &mut scores {
        *score = (*score - least) / (greatest - least);
    }
    scores
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(words: &str, expected: &[(&str, f64)]) {
        let words: Vec<_> = words
            .split(' ')
            .map(|word| (word != "-").then_some(word))
            .collect();
        let found = text_rank(&words);
        assert_eq!(found.len(), expected.len(), "{found:?}");
        for (found, expected) in found.iter().zip(expected) {
            assert_eq!(found.0, expected.0);
            assert!(
                (found.1 - expected.1).abs() < 1e-9,
                "{found:?}, expected {expected:?}"
            );
        }
    }

    #[test]
    fn words_far_apart_are_no_pair() {
        check("甲 - - - - 乙", &[]);
        assert_eq!(
            text_rank(&[Some("甲"), None, None, None, Some("乙")]).len(),
            2
        );
    }

    #[test]
    fn scores_are_jiebas() {
        // What UndirectWeightedGraph of jieba 0.42.1 makes of these words, by the loops of TextRank.textrank.
        check(
            "数据 模型 - 数据 训练 - - 资源 模型 数据 - 数据 推理",
            &[
                ("推理", 0.232_417_898_464_977_76),
                ("数据", 1.0),
                ("模型", 0.557_818_854_292_033_7),
                ("训练", 0.362_279_779_289_488_07),
                ("资源", 0.359_718_702_798_558_7),
            ],
        );
        check(
            "甲 甲 甲 乙",
            &[("乙", 0.365_666_349_681_950_4), ("甲", 1.0)],
        );
        check(
            "甲 - - - 乙",
            &[("乙", 0.996_126_449_401_103_7), ("甲", 1.0)],
        );
    }
}
