//! Models in queries: lifted, whole batches at once, their errors told apart.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use datafusion::arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use datafusion::execution::SessionStateBuilder;
use datafusion::prelude::SessionContext;
use lexstream_columns::Texts;
use lexstream_columns::model::{Embedder, Model, ModelError, Models, Unusable};

use super::{check_sum, register, rowwise};
use lexstream_plan::LiftInference;

/// A model that fails on one text, and is gone for another; it notes how many texts it is given at once.
#[derive(Debug, Default)]
struct Noting {
    slices: Mutex<Vec<usize>>,
}

impl Model for Noting {
    fn id(&self) -> &str {
        "m@1"
    }

    fn kind(&self) -> &str {
        "noting"
    }

    fn embedder(&self) -> Option<&dyn Embedder> {
        Some(self)
    }
}

impl Embedder for Noting {
    fn dimension(&self) -> usize {
        1
    }

    fn embed(&self, texts: &Texts) -> Result<Vec<f32>, ModelError> {
        self.slices.lock().expect("no panic").push(texts.len());
        let mut vectors = Vec::new();
        for text in texts.values() {
            match text {
                Some("too long") => return Err("model `m`: a text is too long".into()),
                Some("gone") => return Err(Unusable::mark("model `m`: its file has gone")),
                text => vectors.push(text.map_or(0, str::len) as f32),
            }
        }
        Ok(vectors)
    }
}

#[derive(Debug)]
struct One(Arc<Noting>);

impl Models for One {
    fn open(&self, _: &str) -> Result<Arc<dyn Model>, ModelError> {
        let model: Arc<dyn Model> = Arc::<Noting>::clone(&self.0);
        Ok(model)
    }

    fn names(&self) -> Vec<String> {
        vec!["m".to_owned()]
    }
}

fn session(model: &Arc<Noting>) -> SessionContext {
    let context = SessionContext::new();
    let mut rules = context.state().physical_optimizers().to_vec();
    assert!(LiftInference::insert(&mut rules));
    let state = SessionStateBuilder::new_from_existing(context.state());
    let context =
        SessionContext::new_with_state(state.with_physical_optimizer_rules(rules).build());
    let models: Arc<dyn Models> = Arc::new(One(Arc::clone(model)));
    lexstream_udfs::register_all(&mut *context.state_ref().write(), &models).expect("functions");
    register(&context, "docs", docs(&HashMap::new()));
    context
}

/// Two hundred rows, each with a text of its own, but for those that are said.
fn docs(others: &HashMap<usize, &str>) -> RecordBatch {
    let text = |at: usize| {
        others
            .get(&at)
            .map_or_else(|| format!("text {at}"), |text| (*text).to_owned())
    };
    let ids: ArrayRef = Arc::new(Int64Array::from_iter_values(0..200));
    let texts: ArrayRef = Arc::new(StringArray::from_iter_values((0..200).map(text)));
    RecordBatch::try_from_iter([("id", ids), ("text", texts)]).expect("a batch")
}

const EMBED: &str = "SELECT id, embed('m', text) AS vector FROM docs WHERE embed('m', text)[1] > 0";

#[tokio::test]
async fn a_model_is_given_the_whole_batch_once() {
    let model = Arc::new(Noting::default());
    let rowwise = rowwise(&session(&model), &[EMBED])
        .await
        .expect("row by row");
    let plan = rowwise.plans().remove(0);
    assert!(plan.contains("InferenceExec"), "{plan}");
    for _ in 0..2 {
        let outcome = rowwise
            .run(docs(&HashMap::new()))
            .await
            .expect("an outcome");
        assert_eq!(
            outcome.outputs[0]
                .iter()
                .map(|output| output.batch.num_rows())
                .sum::<usize>(),
            200
        );
    }
    assert_eq!(*model.slices.lock().expect("no panic"), [200, 200]);
}

#[tokio::test]
async fn a_text_that_a_model_fails_on_is_found() {
    let model = Arc::new(Noting::default());
    let rowwise = rowwise(&session(&model), &[EMBED])
        .await
        .expect("row by row");
    let batch = docs(&HashMap::from([(7, "too long"), (150, "too long")]));
    let outcome = rowwise.run(batch).await.expect("an outcome");
    check_sum(&outcome, 200);
    let failed: Vec<_> = outcome.failed.iter().map(|failed| failed.row).collect();
    assert_eq!((failed, outcome.filtered), (vec![7, 150], 0));
    let message = outcome.failed[0].error.to_string();
    assert!(message.contains("a text is too long"), "{message}");
}

#[tokio::test]
async fn a_model_that_is_gone_fails_the_run() {
    for sql in [
        EMBED,
        "SELECT id FROM docs WHERE CASE WHEN id > 3 THEN embed('m', text)[1] > 0 ELSE true END",
    ] {
        let model = Arc::new(Noting::default());
        let rowwise = rowwise(&session(&model), &[sql]).await.expect("row by row");
        let batch = docs(&HashMap::from([(7, "gone")]));
        let error = rowwise.run(batch).await.expect_err("an error").to_string();
        assert!(error.contains("its file has gone"), "{error}");
        assert_eq!(model.slices.lock().expect("no panic").len(), 1);
    }
}
