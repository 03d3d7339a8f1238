//! How terms are made and weighed: the options.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::Arc;

use lexstream_columns::model::Weighed;
use lexstream_text::stop_words;
use lexstream_text::tfidf::{Accents, Analyzer, Bm25, Formula, Limits, Norm, Pieces, Share};
use lexstream_text::tokenizers::{self, Pattern, Sklearn, SklearnCased, Tokenizer};

use crate::kinds::OptionSpec;

/// The options, alphabetical.
pub(super) const OPTIONS: &[OptionSpec] = &[
    OptionSpec {
        name: "analyzer",
        default: "word",
        description: "What a term is made of: `word`, `char` (code points, across words too) or `char_wb` (code points inside a word with a space on either side).",
    },
    OptionSpec {
        name: "b",
        default: "0.75",
        description: "bm25: how much long texts lose, from 0 to 1.",
    },
    OptionSpec {
        name: "binary",
        default: "false",
        description: "Whether a term counts once a text.",
    },
    OptionSpec {
        name: "formula",
        default: "sklearn",
        description: "tfidf: `sklearn`: tf × (ln((1 + N) / (1 + df)) + 1), then the norm, with `use_idf`, `smooth_idf`, `sublinear_tf`, `norm`; `classic`: tf × ln(N / df) (Spärck Jones 1972); `bigquery`: tf / length × ln(1 + N / (1 + df)), as BigQuery's TF_IDF, with every term kept. tf is how often a term occurs in the text, length how many terms it has, N how many texts the corpus has, df how many of them have the term.",
    },
    OptionSpec {
        name: "k1",
        default: "1.2",
        description: "bm25: how slowly more occurrences of a term add to the score: a number of at least 0.",
    },
    OptionSpec {
        name: "lowercase",
        default: "true",
        description: "Whether texts are put into lower case before they are cut.",
    },
    OptionSpec {
        name: "max_df",
        default: "1.0",
        description: "In how many texts a term occurs at most: a count such as `10`, or a share of all texts such as `0.5`.",
    },
    OptionSpec {
        name: "max_features",
        default: "",
        description: "How many of the terms that occur most often in the corpus stay, ties by term: a number of at least 1.",
    },
    OptionSpec {
        name: "min_df",
        default: "1",
        description: "In how many texts a term occurs at least: a count or a share, as for `max_df`.",
    },
    OptionSpec {
        name: "ngram_max",
        default: "1",
        description: "How many words or code points the longest term has: a number of at least `ngram_min`.",
    },
    OptionSpec {
        name: "ngram_min",
        default: "1",
        description: "How many the shortest has: a number of at least 1.",
    },
    OptionSpec {
        name: "norm",
        default: "l2",
        description: "Formula `sklearn`: the length of a vector: `l2` (the squares add up to 1), `l1` (the values do) or `none`.",
    },
    OptionSpec {
        name: "smooth_idf",
        default: "true",
        description: "Formula `sklearn`: whether N and df are one more, as if a text had every term.",
    },
    OptionSpec {
        name: "stop_words",
        default: "",
        description: "What is no term, before words are joined: `english` (scikit-learn's list), a language as for stop_words(), or words between commas, such as `the, a, of` (one alone: `the,`). Words are compared as they stand, after `lowercase`.",
    },
    OptionSpec {
        name: "strip_accents",
        default: "none",
        description: "Whether accents go before a text is cut: `unicode` as strip_accents() does, `ascii` leaves only what decomposes into ASCII, `none`.",
    },
    OptionSpec {
        name: "sublinear_tf",
        default: "false",
        description: "Formula `sklearn`: whether tf is 1 + ln(tf).",
    },
    OptionSpec {
        name: "tokenizer",
        default: "sklearn",
        description: "What cuts texts into words, as for tokenize(): a built-in tokenizer, `regex:…` or a model that has one. A model's version and digest are kept: where it is gone or another, this one can't be opened; a session that has it open goes on.",
    },
    OptionSpec {
        name: "use_idf",
        default: "true",
        description: "Formula `sklearn`: whether the factor of the corpus is there.",
    },
];

/// The options that only weights depend on.
const WEIGHTS: &[&str] = &[
    "b",
    "formula",
    "k1",
    "norm",
    "smooth_idf",
    "sublinear_tf",
    "use_idf",
];

/// Tells whether the terms depend on an option of this kind.
pub(super) fn changes_terms(option: &str) -> bool {
    !WEIGHTS.contains(&option) && OPTIONS.iter().any(|known| known.name == option)
}

/// Tells whether the option `tokenizer` names a model, as it is no built-in one.
pub(super) fn is_model(tokenizer: &str) -> bool {
    !tokenizers::is_built_in(tokenizer) && Pattern::named(tokenizer).is_none()
}

/// An option with a wrong value.
#[derive(Debug)]
pub(super) struct Wrong {
    pub option: &'static str,
    pub expected: String,
}

/// How terms are made and weighed.
#[derive(Debug)]
pub(super) struct Rules {
    analyzer: Analyzer,
    pub limits: Limits,
    pub formula: Formula,
    pub bm25: Bm25,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Word,
    Char,
    CharInWord,
}

impl Rules {
    /// Reads the options of a model that was made of texts or of tokens.
    ///
    /// `tokenizer` is that of the model which the option of this name names, where it names one.
    pub(super) fn of(
        options: &BTreeMap<String, String>,
        weighed: Weighed,
        tokenizer: Option<Arc<dyn Tokenizer>>,
    ) -> Result<Self, Wrong> {
        let options = Options(options);
        if weighed == Weighed::Tokens {
            let reason = "left out where the query has lists of tokens";
            options.absent(
                &["analyzer", "lowercase", "strip_accents", "tokenizer"],
                reason,
            )?;
        }
        let unit = options.choice(
            "analyzer",
            &[
                ("word", Unit::Word),
                ("char", Unit::Char),
                ("char_wb", Unit::CharInWord),
            ],
            Unit::Word,
        )?;
        if unit != Unit::Word {
            let reason = "left out where `analyzer` is not `word`";
            options.absent(&["stop_words", "tokenizer"], reason)?;
        }
        let lowercase = options.flag("lowercase", true)?;
        let accents = options.choice(
            "strip_accents",
            &[
                ("ascii", Some(Accents::Ascii)),
                ("none", None),
                ("unicode", Some(Accents::Unicode)),
            ],
            None,
        )?;
        let one = NonZeroUsize::MIN;
        let min = options.count("ngram_min")?.unwrap_or(one);
        let max = options.count("ngram_max")?.unwrap_or(one);
        if max < min {
            return Err(Wrong {
                option: if options.text("ngram_max").is_some() {
                    "ngram_max"
                } else {
                    "ngram_min"
                },
                expected: format!("so that `ngram_min`, {min}, is at most `ngram_max`, {max}"),
            });
        }
        let pieces = match unit {
            Unit::Word => Pieces::Words {
                tokenizer: match weighed {
                    Weighed::Texts => Some(match tokenizer {
                        Some(tokenizer) => tokenizer,
                        None => options.tokenizer(lowercase && accents.is_none())?,
                    }),
                    Weighed::Tokens => None,
                },
                stop_words: options.stop_words()?.into_iter().collect(),
            },
            Unit::Char => Pieces::Chars,
            Unit::CharInWord => Pieces::CharsInWords,
        };
        // The tokenizer `sklearn` puts texts into lower case itself, where nothing comes in between.
        let cut_in_lower_case = options.is_sklearn() && unit == Unit::Word && accents.is_none();
        Ok(Self {
            analyzer: Analyzer {
                lowercase: weighed == Weighed::Texts && lowercase && !cut_in_lower_case,
                accents,
                pieces,
                min,
                max,
            },
            limits: options.limits()?,
            formula: options.formula()?,
            bm25: Bm25 {
                k1: options.number("k1", 1.2, f64::MAX, "a number of at least 0")?,
                b: options.number("b", 0.75, 1.0, "a number from 0 to 1")?,
            },
        })
    }

    /// Returns what makes the terms of a text.
    pub(super) fn analyzer(&self) -> Analyzer {
        self.analyzer.clone()
    }
}

struct Options<'a>(&'a BTreeMap<String, String>);

impl Options<'_> {
    fn text(&self, option: &str) -> Option<&str> {
        self.0.get(option).map(String::as_str)
    }

    fn absent(&self, options: &[&'static str], expected: &str) -> Result<(), Wrong> {
        match options.iter().find(|option| self.text(option).is_some()) {
            Some(option) => Err(Wrong {
                option,
                expected: expected.to_owned(),
            }),
            None => Ok(()),
        }
    }

    fn choice<T: Copy>(
        &self,
        option: &'static str,
        choices: &[(&str, T)],
        default: T,
    ) -> Result<T, Wrong> {
        let Some(found) = self.text(option) else {
            return Ok(default);
        };
        let chosen = choices
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(found));
        chosen.map(|(_, value)| *value).ok_or_else(|| {
            let names: Vec<_> = choices.iter().map(|(name, _)| *name).collect();
            Wrong {
                option,
                expected: format!("one of {}", names.join(", ")),
            }
        })
    }

    fn flag(&self, option: &'static str, default: bool) -> Result<bool, Wrong> {
        self.choice(option, &[("true", true), ("false", false)], default)
    }

    fn count(&self, option: &'static str) -> Result<Option<NonZeroUsize>, Wrong> {
        let count = self.text(option).map(str::parse).transpose();
        count.map_err(|_| Wrong {
            option,
            expected: "a number of at least 1".to_owned(),
        })
    }

    fn number(
        &self,
        option: &'static str,
        default: f64,
        most: f64,
        expected: &str,
    ) -> Result<f64, Wrong> {
        match self.text(option).map(str::parse::<f64>) {
            None => Ok(default),
            Some(Ok(number)) if (0.0..=most).contains(&number) => Ok(number),
            Some(_) => Err(Wrong {
                option,
                expected: expected.to_owned(),
            }),
        }
    }

    fn share(&self, option: &'static str, default: Share) -> Result<Share, Wrong> {
        let Some(found) = self.text(option) else {
            return Ok(default);
        };
        let share = if found.contains('.') {
            let part = found.parse().ok();
            part.filter(|part| (0.0..=1.0).contains(part))
                .map(Share::Part)
        } else {
            let count = found.parse().ok();
            count.filter(|count| *count > 0).map(Share::Count)
        };
        share.ok_or_else(|| Wrong {
            option,
            expected: "a count of at least 1, such as 2, or a share from 0.0 to 1.0, such as 0.5"
                .to_owned(),
        })
    }

    fn limits(&self) -> Result<Limits, Wrong> {
        Ok(Limits {
            min_documents: self.share("min_df", Share::Count(1))?,
            max_documents: self.share("max_df", Share::Part(1.0))?,
            max_terms: self.count("max_features")?.map(NonZeroUsize::get),
            binary: self.flag("binary", false)?,
        })
    }

    fn formula(&self) -> Result<Formula, Wrong> {
        let sklearn = Formula::Sklearn {
            use_idf: self.flag("use_idf", true)?,
            smooth_idf: self.flag("smooth_idf", true)?,
            sublinear_tf: self.flag("sublinear_tf", false)?,
            norm: self.choice(
                "norm",
                &[
                    ("l1", Some(Norm::L1)),
                    ("l2", Some(Norm::L2)),
                    ("none", None),
                ],
                Some(Norm::L2),
            )?,
        };
        let formula = self.choice(
            "formula",
            &[
                ("bigquery", Formula::BigQuery),
                ("classic", Formula::Classic),
                ("sklearn", sklearn),
            ],
            sklearn,
        )?;
        if !matches!(formula, Formula::Sklearn { .. }) {
            let reason = "left out where `formula` is not `sklearn`";
            self.absent(&["norm", "smooth_idf", "sublinear_tf", "use_idf"], reason)?;
        }
        if formula == Formula::BigQuery {
            let reason = "left out where `formula` is `bigquery`, which keeps every term";
            self.absent(&["max_df", "max_features", "min_df"], reason)?;
        }
        Ok(formula)
    }

    fn is_sklearn(&self) -> bool {
        self.text("tokenizer")
            .is_none_or(|name| name.eq_ignore_ascii_case("sklearn"))
    }

    /// Returns what cuts texts; `sklearn` puts them into lower case itself where it is told to.
    fn tokenizer(&self, lowercase: bool) -> Result<Arc<dyn Tokenizer>, Wrong> {
        if self.is_sklearn() {
            return Ok(if lowercase {
                Arc::new(Sklearn)
            } else {
                Arc::new(SklearnCased)
            });
        }
        let option = "tokenizer";
        let name = self.text(option).unwrap_or_default();
        match Pattern::named(name) {
            Some(Ok(pattern)) => Ok(Arc::new(pattern)),
            Some(Err(error)) => Err(Wrong {
                option,
                expected: format!("a regular expression behind `regex:` ({error})"),
            }),
            None => tokenizers::built_in(name, true).ok_or_else(|| Wrong {
                option,
                expected: format!(
                    "one of {}, regex:… or a model",
                    tokenizers::NAMES.join(", ")
                ),
            }),
        }
    }

    fn stop_words(&self) -> Result<Vec<String>, Wrong> {
        let owned = |word: &str| word.to_owned();
        let Some(found) = self.text("stop_words") else {
            return Ok(Vec::new());
        };
        if found.eq_ignore_ascii_case("english") {
            return Ok(stop_words::scikit_learn_english().map(owned).collect());
        }
        if found.contains(',') {
            let words = found.split(',').map(str::trim);
            return Ok(words.filter(|word| !word.is_empty()).map(owned).collect());
        }
        match stop_words::stop_words(found) {
            Some(words) => Ok(words.iter().copied().map(owned).collect()),
            None => Err(Wrong {
                option: "stop_words",
                expected: format!(
                    "`english`, one of {} or words between commas",
                    stop_words::LANGUAGES.join(", ")
                ),
            }),
        }
    }
}
