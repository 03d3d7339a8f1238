//! Models in ONNX Runtime for the tests: what `make models` has written, and engines that know them.

use std::path::{Path, PathBuf};

use lexstream::{Engine, EngineBuilder};

use crate::binary::built;

/// Returns the folder of models; a test without it fails with the command that makes it.
pub fn models() -> PathBuf {
    let target = built();
    let models = target.parent().expect("target").join("tools/models");
    assert!(
        models.join(".ready").exists(),
        "{} is missing; make it: make models",
        models.display()
    );
    models
}

/// Returns ONNX Runtime's library.
pub fn library() -> PathBuf {
    let name = format!(
        "{}onnxruntime{}",
        std::env::consts::DLL_PREFIX,
        std::env::consts::DLL_SUFFIX
    );
    models().join("onnxruntime").join(name)
}

/// Starts to describe an engine with this home.
pub fn builder(home: &Path) -> EngineBuilder {
    Engine::builder().home(home).onnxruntime(library())
}

/// Returns an engine with the models `minilm`, `sentiment` and `topics` in this home.
pub async fn engine(home: &Path) -> Engine {
    let engine = builder(home).build().expect("engine");
    for (name, folder) in [
        ("minilm", "all-MiniLM-L6-v2"),
        ("sentiment", "sentiment"),
        ("topics", "topics"),
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
