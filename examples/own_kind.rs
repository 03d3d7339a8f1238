//! A kind of model of one's own, from outside Lexstream: a lexicon that classifies. `cargo run --example own_kind`
//!
//! Registered with the engine, it is made by `CREATE MODEL … AS SELECT`, stored and versioned as every other model is,
//! and called by `classify` and `classify_scores` in queries, batch jobs and streams.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::arrow::array::AsArray;
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::DataType;
use datafusion::arrow::util::pretty::print_batches;
use lexstream::ModelCatalog;
use lexstream::kinds::{Kind, Made, OptionSpec, Request};
use lexstream::models::store::Stored;
use lexstream::udfs::columns::Texts;
use lexstream::udfs::model::{Classifier, Model, ModelError};
use lexstream::udfs::text::tokenizers;

/// The role of the file that holds the words, and its name.
const WORDS: (&str, &str) = ("words", "words.json");

/// The label of each word.
type Lexicon = BTreeMap<String, String>;

/// The kind `lexicon`: words with labels; a text has a label by the share of its words.
#[derive(Debug)]
struct LexiconKind;

impl Kind for LexiconKind {
    fn name(&self) -> &'static str {
        "lexicon"
    }

    fn description(&self) -> &'static str {
        "Words with labels: a text's score for a label is the share of the label's words among its words that are known."
    }

    fn options(&self) -> &'static [OptionSpec] {
        &[OptionSpec {
            name: "other",
            default: "other",
            description: "The label of a text without a known word.",
        }]
    }

    fn make(&self, mut request: Request<'_>) -> Result<Made, ModelError> {
        let model = request.name.to_string();
        let Some(rows) = request.rows.take() else {
            return Err(
                format!("model `{model}`: expected AS query with a word and its label").into(),
            );
        };
        let mut lexicon = Lexicon::new();
        for batch in rows.batches {
            let batch = batch?;
            let [word, label] = batch.columns() else {
                let found = batch.num_columns();
                return Err(format!("model `{model}`: expected two columns, found {found}").into());
            };
            let (words, labels) = (cast(word, &DataType::Utf8)?, cast(label, &DataType::Utf8)?);
            let pairs = words
                .as_string::<i32>()
                .iter()
                .zip(labels.as_string::<i32>());
            // A row without a word or a label says nothing.
            let pairs =
                pairs.filter_map(|(word, label)| Some((word?.to_lowercase(), label?.to_owned())));
            lexicon.extend(pairs);
        }
        let (role, name) = WORDS;
        let file = request
            .draft
            .write(role, name, &serde_json::to_vec(&lexicon)?)?;
        Ok(Made {
            files: vec![file],
            details: BTreeMap::from([("words".to_owned(), lexicon.len().into())]),
            ..Made::default()
        })
    }

    fn open(&self, stored: Stored, _: &ModelCatalog) -> Result<Arc<dyn Model>, ModelError> {
        let file = stored
            .manifest
            .file(WORDS.0)
            .ok_or("a lexicon has its words")?;
        let lexicon: Lexicon = serde_json::from_slice(&stored.read(file)?)?;
        let other = stored
            .manifest
            .options
            .get("other")
            .map_or("other", String::as_str);
        let mut labels: Vec<_> = lexicon.values().cloned().collect();
        labels.push(other.to_owned());
        labels.sort();
        labels.dedup();
        Ok(Arc::new(LexiconModel {
            id: stored.id(),
            other: labels
                .binary_search(&other.to_owned())
                .expect("it was added"),
            words: lexicon
                .into_iter()
                .map(|(word, label)| (word, labels.binary_search(&label).expect("it was added")))
                .collect(),
            labels,
        }))
    }
}

/// A version of a lexicon.
#[derive(Debug)]
struct LexiconModel {
    id: String,
    labels: Vec<String>,
    /// The place of the label of texts without a known word.
    other: usize,
    /// Each word with the place of its label.
    words: BTreeMap<String, usize>,
}

impl Model for LexiconModel {
    fn id(&self) -> &str {
        &self.id
    }

    fn kind(&self) -> &str {
        "lexicon"
    }

    fn classifier(&self) -> Option<&dyn Classifier> {
        Some(self)
    }
}

impl Classifier for LexiconModel {
    fn labels(&self) -> &[String] {
        &self.labels
    }

    fn scores(&self, texts: &Texts) -> Result<Vec<f32>, ModelError> {
        let tokenizer =
            tokenizers::built_in("word", true).ok_or("the tokenizer `word` is built in")?;
        let mut scores = Vec::with_capacity(texts.len() * self.labels.len());
        let (mut buffer, mut spans) = (String::new(), Vec::new());
        for text in texts.values() {
            spans.clear();
            let lower = text.unwrap_or_default().to_lowercase();
            let cut = tokenizer.cut(&lower, &mut buffer, &mut spans);
            let mut found = vec![0_f32; self.labels.len()];
            for span in &spans {
                if let Some(&place) = self.words.get(&cut[span.range()]) {
                    found[place] += 1.0;
                }
            }
            let known: f32 = found.iter().sum();
            if known == 0.0 {
                found[self.other] = 1.0;
            }
            scores.extend(found.iter().map(|count| count / known.max(1.0)));
        }
        Ok(scores)
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let home = tempfile::tempdir()?;
    let engine = lexstream::builder()
        .home(home.path())
        .kind(Arc::new(LexiconKind))
        .build()?;
    engine
        .sql(
            "CREATE MODEL mood WITH ('kind' = 'lexicon', 'other' = 'neutral') AS \
             VALUES ('good', 'positive'), ('great', 'positive'), ('late', 'negative')",
        )
        .await?;
    let rows = engine
        .sql(
            "SELECT text, classify('mood', text)['label'] AS label FROM \
             (VALUES ('A great product, good price, but late'), ('It came late'), ('A parcel')) AS t(text)",
        )
        .await?;
    print_batches(&rows.collect().await?)?;
    Ok(())
}
