//! Models in ONNX Runtime for the tests: what `make models` has written, and engines that know them.

use std::fs;
use std::path::{Path, PathBuf};

use datafusion::arrow::array::RecordBatch;
use serde_json::Value;

use lexstream::onnx::OnnxKind;
use lexstream::{Engine, EngineBuilder};

use crate::binary::built;

/// Returns the folder of models; a test without it fails with the command that makes it.
pub fn models() -> PathBuf {
    let models = folder();
    assert!(
        models.join(".ready").exists(),
        "{} is missing; make it: make models",
        models.display()
    );
    models
}

/// Returns ONNX Runtime's library; a test without it fails with the command that fetches it.
pub fn library() -> PathBuf {
    library_in(&models())
}

/// Returns where ONNX Runtime's library lies once `make models` has fetched it: for programs that may do without.
pub fn library_path() -> PathBuf {
    library_in(&folder())
}

fn folder() -> PathBuf {
    let target = built();
    target.parent().expect("target").join("tools/models")
}

fn library_in(models: &Path) -> PathBuf {
    let name = format!(
        "{}onnxruntime{}",
        std::env::consts::DLL_PREFIX,
        std::env::consts::DLL_SUFFIX
    );
    models.join("onnxruntime").join(name)
}

/// Starts to describe an engine with this home.
pub fn builder(home: &Path) -> EngineBuilder {
    lexstream::builder()
        .home(home)
        .kind(std::sync::Arc::new(OnnxKind::with_library(library())))
}

/// Returns an engine with models of every task in this home: `minilm`, `sentiment`, `topics`, `overlap`, `price`, `mixed`.
pub async fn engine(home: &Path) -> Engine {
    let engine = builder(home).build().expect("engine");
    for (name, folder) in [
        ("minilm", "all-MiniLM-L6-v2"),
        ("sentiment", "sentiment"),
        ("topics", "topics"),
        ("overlap", "overlap"),
        ("price", "price"),
        ("mixed", "mixed"),
    ] {
        let path = models().join(folder);
        let create = format!(
            "CREATE MODEL IF NOT EXISTS {name} WITH ('path' = '{}')",
            path.display()
        );
        engine.sql(&create).await.expect(name);
    }
    engine
}

/// Returns golden values, a list in `goldens/NAME.json`.
pub fn goldens(name: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("goldens/{name}.json"));
    let text =
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).expect("a list")
}

/// Returns an error with its causes.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(source) = cause {
        text.push_str(": ");
        text.push_str(&source.to_string());
        cause = source.source();
    }
    text
}

/// Runs a query; an error is one line with its causes.
pub async fn run(engine: &Engine, query: &str) -> Result<Vec<RecordBatch>, String> {
    let frame = engine.sql(query).await.map_err(|error| chain(&error))?;
    frame.collect().await.map_err(|error| chain(&error))
}

/// Runs a query whose error has these words.
pub async fn check_error(engine: &Engine, query: &str, expected: &str) {
    let error = run(engine, query).await.expect_err(query);
    assert!(error.contains(expected), "{query}: {error}");
}
