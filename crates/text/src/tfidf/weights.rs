//! Weighting schemes of TF-IDF.

/// Norm that vectors are scaled to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Norm {
    /// L1: the absolute values add up to 1.
    L1,
    /// L2: the squares add up to 1.
    L2,
}

/// What a term weighs in a text: tf is how often it occurs there, N the texts of the corpus, df those that have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Formula {
    /// scikit-learn's: tf × (ln((N + s) / (df + s)) + 1), then the norm; s is 1 where `smooth_idf` and else 0.
    Sklearn {
        /// Whether the second factor is there.
        use_idf: bool,
        /// Whether one more text is counted that has every term.
        smooth_idf: bool,
        /// Whether tf is 1 + ln(tf).
        sublinear_tf: bool,
        /// The length of the vector.
        norm: Option<Norm>,
    },
    /// tf × ln(N / df) (Spärck Jones 1972).
    Classic,
    /// BigQuery's: tf / length × ln(1 + N / (1 + df)), where the length counts every term of the text.
    BigQuery,
}

impl Formula {
    /// Returns the inverse document frequency factor of a term.
    pub fn idf(self, documents: u64, documents_with: u64) -> f64 {
        let (n, df) = (documents as f64, documents_with as f64);
        match self {
            Self::Sklearn { use_idf: false, .. } => 1.0,
            Self::Sklearn { smooth_idf, .. } => {
                let more = f64::from(u8::from(smooth_idf));
                ((n + more) / (df + more)).ln() + 1.0
            }
            Self::Classic => (n / df).ln(),
            Self::BigQuery => bigquery_idf(n, df),
        }
    }

    /// Turns counts of a text of so many terms into weights.
    pub fn weigh(self, entries: &mut [(u32, f64)], idf: &[f64], length: u64) {
        for (number, value) in &mut *entries {
            let idf = idf[*number as usize];
            *value = match self {
                Self::Sklearn {
                    sublinear_tf: true, ..
                } => (value.ln() + 1.0) * idf,
                Self::Sklearn { .. } | Self::Classic => *value * idf,
                Self::BigQuery => *value / length as f64 * idf,
            };
        }
        let Self::Sklearn {
            norm: Some(norm), ..
        } = self
        else {
            return;
        };
        let values = entries.iter().map(|(_, value)| *value);
        let size = match norm {
            Norm::L1 => values.map(f64::abs).sum(),
            Norm::L2 => values.map(|value| value * value).sum::<f64>().sqrt(),
        };
        if size > 0.0 {
            entries.iter_mut().for_each(|(_, value)| *value /= size);
        }
    }
}

fn bigquery_idf(documents: f64, documents_with: f64) -> f64 {
    (1.0 + documents / (1.0 + documents_with)).ln()
}

/// Returns the weight of a term by BigQuery's formula, see [`Formula::BigQuery`].
pub fn bigquery_weight(count: u64, length: u64, documents: u64, documents_with: u64) -> f64 {
    count as f64 / length as f64 * bigquery_idf(documents as f64, documents_with as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(formula: Formula, expected: [f64; 2]) {
        // Two of four texts have term 0, all of them term 1; a text of four terms has them twice and once.
        let idf = [formula.idf(4, 2), formula.idf(4, 4)];
        let mut entries = [(0, 2.0), (1, 1.0)];
        formula.weigh(&mut entries, &idf, 4);
        for ((_, found), expected) in entries.iter().zip(expected) {
            assert!(
                (found - expected).abs() < 1e-12,
                "{formula:?}: {found}, expected {expected}"
            );
        }
    }

    #[test]
    fn weights_are_the_formulas() {
        let ln = f64::ln;
        let plain = Formula::Sklearn {
            use_idf: true,
            smooth_idf: false,
            sublinear_tf: false,
            norm: None,
        };
        check(plain, [2.0 * (ln(2.0) + 1.0), 1.0]);
        check(Formula::Classic, [2.0 * ln(2.0), 0.0]);
        check(
            Formula::BigQuery,
            [0.5 * ln(1.0 + 4.0 / 3.0), 0.25 * ln(1.0 + 4.0 / 5.0)],
        );
        let smooth = Formula::Sklearn {
            use_idf: true,
            smooth_idf: true,
            sublinear_tf: true,
            norm: None,
        };
        check(smooth, [(ln(2.0) + 1.0) * (ln(5.0 / 3.0) + 1.0), 1.0]);
    }

    #[test]
    fn norms_are_one() {
        let counts = |norm| Formula::Sklearn {
            use_idf: false,
            smooth_idf: true,
            sublinear_tf: false,
            norm: Some(norm),
        };
        check(counts(Norm::L1), [2.0 / 3.0, 1.0 / 3.0]);
        check(
            counts(Norm::L2),
            [2.0 / 5.0_f64.sqrt(), 1.0 / 5.0_f64.sqrt()],
        );
        counts(Norm::L2).weigh(&mut [], &[], 0);
    }
}
