//! Models row by row: which of their errors a row is to blame for.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, RecordBatch, StringArray};
use datafusion::common::TableReference;
use datafusion::datasource::MemTable;
use lexstream::Engine;
use lexstream::rowwise::{Outcome, Rowwise, RowwiseError};
use lexstream_integration_tests::onnx::{builder, chain, engine, models, run};
use serde_json::Value;

/// Runs a query over texts as one batch of the table `docs`.
async fn outcome(engine: &Engine, texts: &[&str], query: &str) -> Result<Outcome, RowwiseError> {
    let texts: ArrayRef = Arc::new(StringArray::from(texts.to_vec()));
    let batch = RecordBatch::try_from_iter([("text", texts)]).expect("a batch");
    let table = MemTable::try_new(batch.schema(), vec![vec![]]).expect("a table");
    let context = engine.context();
    let docs = TableReference::bare("docs");
    context
        .deregister_table(docs.clone())
        .expect("no other table");
    context
        .register_table(docs.clone(), Arc::new(table))
        .expect("a table");
    let plan = context.state().create_logical_plan(query).await?;
    let rowwise = Rowwise::try_new(context, &docs, vec![plan]).await?;
    rowwise.run(batch).await
}

#[tokio::test]
async fn a_text_that_is_too_long_fails_alone() {
    let home = tempfile::tempdir().expect("home");
    let engine = engine(home.path()).await;
    let path = models().join("all-MiniLM-L6-v2");
    let create = format!(
        "CREATE MODEL strict WITH ('path' = '{}', 'truncate' = false, 'max_length' = 8)",
        path.display()
    );
    run(&engine, &create).await.expect("strict");
    let texts = [
        "one",
        "two",
        "one two three four five six seven",
        "four",
        "five",
    ];
    let query = "SELECT text, embed('strict', text) AS vector FROM docs";
    let outcome = outcome(&engine, &texts, query).await.expect("an outcome");
    let given: Vec<_> = outcome.outputs[0]
        .iter()
        .flat_map(|output| output.origins.values().to_vec())
        .collect();
    assert_eq!(given, [0, 1, 3, 4]);
    let [failed] = outcome.failed.as_slice() else {
        panic!("{:?}", outcome.failed);
    };
    let message = chain(&failed.error);
    assert_eq!(failed.row, 2);
    assert!(
        message.contains("a text has 9 tokens, and the model takes 8"),
        "{message}"
    );
}

/// Makes a model, spoils it, and checks that a query of an engine that opens it then fails as a whole.
async fn check_spoiled(create: &str, query: &str, spoil: impl FnOnce(&Path), expected: &str) {
    let home = tempfile::tempdir().expect("home");
    let made = home.path().join("made");
    fs::create_dir(&made).expect("a folder");
    let create = create.replace("MADE", &made.display().to_string());
    copy(&models().join("sentiment"), &made.join("sentiment"));
    copy(&models().join("price"), &made.join("price"));
    fs::write(made.join("words.txt"), "流式 5\n").expect("words");
    let engine = builder(home.path()).build().expect("engine");
    run(&engine, &create).await.expect(&create);
    spoil(home.path());
    let engine = builder(home.path()).build().expect("engine");
    match outcome(&engine, &["1", "2", "3"], query).await {
        Err(error) => {
            let message = chain(&error);
            assert!(message.contains(expected), "{query}: {message}");
        }
        Ok(outcome) => panic!("{query}: rows are blamed: {:?}", outcome.failed),
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).expect("a file");
        }
    }
}

fn change(path: &Path) {
    let mut bytes = fs::read(path).expect("a file");
    *bytes.last_mut().expect("a byte") ^= 1;
    fs::write(path, bytes).expect("a file");
}

#[tokio::test]
async fn a_model_that_cannot_be_used_is_no_rows_fault() {
    let classify = "SELECT classify('m', text)['label'] FROM docs";
    let create = "CREATE MODEL m WITH ('path' = 'MADE/sentiment')";
    check_spoiled(
        create,
        classify,
        |home| change(&home.join("made/sentiment/onnx/model.onnx")),
        "model.onnx has changed since the model was made",
    )
    .await;
    check_spoiled(
        create,
        classify,
        |home| fs::remove_dir_all(home.join("made/sentiment")).expect("removed"),
        "could not read",
    )
    .await;
    check_spoiled(
        create,
        classify,
        |home| {
            let path = home.join("models/m/1/manifest.json");
            let text = fs::read_to_string(&path).expect("a manifest");
            let mut manifest: Value = serde_json::from_str(&text).expect("JSON");
            manifest["details"]["golden"] = vec![0.5, 9.0].into();
            fs::write(&path, manifest.to_string()).expect("written");
        },
        "makes another result of a text than when it was made",
    )
    .await;
    check_spoiled(
        "CREATE MODEL m WITH ('path' = 'MADE/price')",
        "SELECT predict('m', [CAST(text AS DOUBLE), 1.0]) FROM docs",
        |home| change(&home.join("made/price/model.onnx")),
        "model.onnx has changed since the model was made",
    )
    .await;
    check_spoiled(
        "CREATE MODEL m WITH ('kind' = 'jieba', 'dictionary' = 'MADE/words.txt')",
        "SELECT tokenize(text, 'm') FROM docs",
        |home| change(&home.join("made/words.txt")),
        "words.txt has changed since the model was made",
    )
    .await;
}
