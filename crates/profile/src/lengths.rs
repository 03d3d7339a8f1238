//! How lengths are spread.

use hdrhistogram::Histogram;

use super::grouped;

/// The shares of texts that quantiles are given for.
pub const QUANTILES: [f64; 7] = [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99];

/// Lengths of more than this are counted as this: no text of Arrow is as long.
const LONGEST: u64 = 1 << 40;

/// How lengths are spread, of all texts that are not NULL.
///
/// The least, the most and the sum are exact; quantiles and the buckets' borders are within 1 % (HdrHistogram, two
/// significant digits).
#[derive(Debug, Clone)]
pub struct Lengths {
    histogram: Histogram<u64>,
    least: u64,
    most: u64,
    sum: u64,
}

/// Texts whose lengths lie between two numbers, both among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bucket {
    /// The least length.
    pub from: u64,
    /// The greatest length.
    pub to: u64,
    /// How many texts there are.
    pub texts: u64,
}

impl Bucket {
    /// Returns its lengths as they are shown: `0`, `1`, `2–3`, `4–7`.
    pub fn range(&self) -> String {
        match self.from == self.to {
            true => grouped(self.from),
            false => format!("{}–{}", grouped(self.from), grouped(self.to)),
        }
    }
}

impl Default for Lengths {
    fn default() -> Self {
        let histogram = Histogram::new_with_max(LONGEST, 2);
        Self {
            histogram: histogram.expect("two digits of numbers up to 2^40 can be kept"),
            least: u64::MAX,
            most: 0,
            sum: 0,
        }
    }
}

impl Lengths {
    pub(super) fn add(&mut self, length: u64) {
        self.histogram.saturating_record(length);
        self.least = self.least.min(length);
        self.most = self.most.max(length);
        self.sum += length;
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.histogram
            .add(&other.histogram)
            .expect("both have the same bounds");
        self.least = self.least.min(other.least);
        self.most = self.most.max(other.most);
        self.sum += other.sum;
    }

    /// Returns how many lengths there are.
    pub fn count(&self) -> u64 {
        self.histogram.len()
    }

    /// Returns the least length; none where there is no text.
    pub fn least(&self) -> Option<u64> {
        (self.count() > 0).then_some(self.least)
    }

    /// Returns the greatest length.
    pub fn most(&self) -> u64 {
        self.most
    }

    /// Returns the sum of all lengths.
    pub fn sum(&self) -> u64 {
        self.sum
    }

    /// Returns the mean length; 0 where there is no text.
    pub fn mean(&self) -> f64 {
        self.sum as f64 / self.count().max(1) as f64
    }

    /// Returns the length that this share of texts does not exceed.
    pub fn quantile(&self, share: f64) -> u64 {
        let found = self.histogram.value_at_quantile(share);
        found.clamp(self.least.min(self.most), self.most)
    }

    /// Returns how many texts have which length, in buckets that begin at 0, 1 and then at powers of 2, from the first
    /// that has a text to the last.
    pub fn buckets(&self) -> Vec<Bucket> {
        let mut buckets = vec![Bucket {
            from: 0,
            to: 0,
            texts: 0,
        }];
        while buckets.last().is_some_and(|last| last.to < self.most) {
            let from = buckets.last().map_or(0, |last| last.to + 1);
            buckets.push(Bucket {
                from,
                to: 2 * from.max(1) - 1,
                texts: 0,
            });
        }
        for value in self.histogram.iter_recorded() {
            let length = value.value_iterated_to();
            let lengths = buckets.len() - 1;
            // Bucket b holds numbers of b bits.
            let place = (u64::BITS - length.leading_zeros()) as usize;
            buckets[place.min(lengths)].texts += value.count_at_value();
        }
        let first = buckets.iter().position(|bucket| bucket.texts > 0);
        buckets.split_off(first.unwrap_or(buckets.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_spread_over_buckets_and_quantiles() {
        let mut lengths = Lengths::default();
        let mut others = Lengths::default();
        for length in 0..1000 {
            lengths.add(length);
            others.add(length);
        }
        lengths.merge(&others);
        assert_eq!(
            (lengths.count(), lengths.least(), lengths.most()),
            (2000, Some(0), 999)
        );
        assert_eq!(lengths.sum(), 999 * 1000);
        let median = lengths.quantile(0.5);
        assert!((495..=505).contains(&median), "{median}");
        let buckets = lengths.buckets();
        assert_eq!(buckets.iter().map(|bucket| bucket.texts).sum::<u64>(), 2000);
        assert_eq!(
            buckets[0],
            Bucket {
                from: 0,
                to: 0,
                texts: 2
            }
        );
        assert_eq!(
            buckets[3],
            Bucket {
                from: 4,
                to: 7,
                texts: 8
            }
        );
        assert_eq!(
            buckets.last().map(|bucket| (bucket.from, bucket.to)),
            Some((512, 1023))
        );
    }

    #[test]
    fn no_text_has_no_length() {
        let lengths = Lengths::default();
        assert_eq!(
            (lengths.least(), lengths.most(), lengths.buckets()),
            (None, 0, vec![])
        );
        assert_eq!((lengths.quantile(0.5), lengths.mean()), (0, 0.0));
    }

    #[test]
    fn one_length_is_every_quantile() {
        let mut lengths = Lengths::default();
        lengths.add(12_345_678);
        assert!(
            QUANTILES
                .iter()
                .all(|share| lengths.quantile(*share) == 12_345_678)
        );
    }
}
