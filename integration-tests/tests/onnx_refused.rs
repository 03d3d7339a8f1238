//! Exports, models and calls that are refused, in words.

use std::fs;
use std::path::Path;

use datafusion::arrow::array::AsArray;
use lexstream_integration_tests::onnx::{builder, chain, check_error, engine, models, run};
use serde_json::Value;

/// Makes an export of its own out of one that is there, changed by `change`.
async fn check_refused(name: &str, change: impl FnOnce(&Path), options: &str, expected: &str) {
    let home = tempfile::tempdir().expect("home");
    let folder = home.path().join("export");
    copy(&models().join(name), &folder);
    change(&folder);
    let engine = builder(home.path()).build().expect("engine");
    let create = format!(
        "CREATE MODEL m WITH ('path' = '{}'{options})",
        folder.display()
    );
    let error = chain(&engine.sql(&create).await.expect_err(expected));
    assert!(error.contains(expected), "{error}");
    assert!(
        engine.models().list().expect("list").is_empty(),
        "{expected}"
    );
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("folder");
    for entry in fs::read_dir(from).expect("folder") {
        let entry = entry.expect("an entry");
        let place = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &place);
        } else {
            fs::copy(entry.path(), place).expect("a copy");
        }
    }
}

fn edit(folder: &Path, name: &str, from: &str, to: &str) {
    let path = folder.join(name);
    let text = fs::read_to_string(&path).expect(name);
    assert!(text.contains(from), "{name} has no {from}");
    fs::write(path, text.replace(from, to)).expect(name);
}

#[tokio::test]
async fn exports_that_are_wrong_are_refused_in_words() {
    let remove =
        |name: &'static str| move |folder: &Path| fs::remove_file(folder.join(name)).expect(name);
    check_refused(
        "sentiment",
        |folder| fs::remove_dir_all(folder).expect("removed"),
        "",
        "no such file or folder",
    )
    .await;
    check_refused(
        "sentiment",
        remove("onnx/model.onnx"),
        "",
        "expected an ONNX graph (model.onnx or onnx/model.onnx), found none",
    )
    .await;
    check_refused(
        "sentiment",
        remove("tokenizer.json"),
        "",
        "expected tokenizer.json beside the graph",
    )
    .await;
    check_refused(
        "sentiment",
        remove("config.json"),
        "",
        "the files don't tell what it does; `task` must be one of classification, embedding, predict, rerank",
    )
    .await;
    check_refused(
        "sentiment",
        |folder| {
            fs::rename(
                folder.join("onnx/model.onnx"),
                folder.join("model.safetensors"),
            )
            .expect("renamed");
        },
        "",
        "found model.safetensors; export it with `optimum-cli export onnx --model",
    )
    .await;
    check_refused(
        "sentiment",
        |_| (),
        ", 'file' = 'small.onnx'",
        "no graph `small.onnx`; there is onnx/model.onnx",
    )
    .await;
    check_refused(
        "sentiment",
        |_| (),
        ", 'task' = 'embedding'",
        "expected an output of floating-point numbers [texts, tokens, dimension]",
    )
    .await;
    check_refused(
        "sentiment",
        |_| (),
        ", 'task' = 'embed'",
        "`task` must be one of classification, embedding, predict, rerank, found `embed`",
    )
    .await;
    check_refused(
        "sentiment",
        |_| (),
        ", 'device' = 'cuda'",
        "it computes on cuda:0, and no session can be made there",
    )
    .await;
    check_refused(
        "sentiment",
        |_| (),
        ", 'device' = 'gpu'",
        "`device` must be one of auto, cpu, cuda, cuda:N, found `gpu`",
    )
    .await;
    check_refused(
        "sentiment",
        |_| (),
        ", 'max_length' = 513",
        "`max_length` must be at most 512, the positions that config.json tells of, found `513`",
    )
    .await;
    check_refused(
        "sentiment",
        |_| (),
        ", 'pooling' = 'cls'",
        "`pooling` is an option of embedding, and the task is classification",
    )
    .await;
    check_refused(
        "sentiment",
        |_| (),
        ", 'threads' = 100000",
        "`threads` must be a number of at most 256, found `100000`",
    )
    .await;
    check_refused(
        "all-MiniLM-L6-v2",
        |folder| {
            let more = "[{\"type\": \"sentence_transformers.models.Dense\"},";
            edit(folder, "modules.json", "[", more);
        },
        "",
        "modules.json has sentence_transformers.models.Dense behind the graph",
    )
    .await;
    check_refused(
        "sentiment",
        |_| (),
        ", 'max_length' = 0",
        "`max_length` must be a number of at least 1, found `0`",
    )
    .await;
    check_refused(
        "sentiment",
        |folder| {
            edit(
                folder,
                "config.json",
                "\"0\": \"negative\",",
                "\"0\": \"a\", \"2\": \"b\",",
            );
        },
        "",
        "expected one label for each of the 2 columns of output `logits`, found 3 in config.json",
    )
    .await;
    // A token that the graph has no row for, whatever config.json says.
    let token = "\"added_tokens\":[{\"id\": 30522, \"content\": \"<new>\", \"single_word\": false, \"lstrip\": false, \
                 \"rstrip\": false, \"normalized\": false, \"special\": true},";
    check_refused(
        "sentiment",
        |folder| {
            edit(folder, "tokenizer.json", "\"added_tokens\":[", token);
            edit(folder, "config.json", "30522", "30523");
        },
        "",
        "expected a tokenizer with ids below 30522 (rows of `table` in the graph), found ids up to 30522",
    )
    .await;
    // A graph that looks nothing up.
    check_refused(
        "overlap",
        |folder| {
            let size = "\"vocab_size\": 30000, \"architectures\"";
            edit(folder, "config.json", "\"architectures\"", size);
        },
        "",
        "expected a tokenizer with ids below 30000 (vocab_size in config.json), found ids up to 30521",
    )
    .await;
    check_refused(
        "sentiment",
        |folder| edit(folder, "config.json", "{", "["),
        "",
        "config.json: invalid type",
    )
    .await;
    check_refused(
        "sentiment",
        |folder| {
            let graph = folder.join("onnx/model.onnx");
            let bytes = fs::read(&graph).expect("graph");
            fs::write(&graph, &bytes[..bytes.len() / 2]).expect("graph");
        },
        "",
        "ONNX Runtime can't load this graph",
    )
    .await;
    // An input that has another name is none that texts have.
    check_refused(
        "sentiment",
        |folder| {
            let graph = folder.join("onnx/model.onnx");
            let mut bytes = fs::read(&graph).expect("graph");
            let name = b"attention_mask";
            while let Some(at) = bytes.windows(name.len()).position(|bytes| bytes == name) {
                bytes[at..at + name.len()].copy_from_slice(b"attention_tusk");
            }
            fs::write(&graph, bytes).expect("graph");
        },
        "",
        "the graph has the input `attention_tusk`; expected input_ids, attention_mask",
    )
    .await;
    check_refused(
        "all-MiniLM-L6-v2",
        |folder| {
            edit(
                folder,
                "1_Pooling/config.json",
                "\"pooling_mode_cls_token\": false",
                "\"pooling_mode_cls_token\": true",
            );
        },
        "",
        "asks for a pooling that is not there; `pooling` must be one of cls, last_token, max, mean",
    )
    .await;
}

#[tokio::test]
async fn a_graph_that_changes_is_refused_and_a_copy_goes_on() {
    let home = tempfile::tempdir().expect("home");
    let folder = home.path().join("export");
    copy(&models().join("sentiment"), &folder);
    let engine = builder(home.path()).build().expect("engine");
    for (name, copy) in [("refers", "false"), ("copies", "true")] {
        let create = format!(
            "CREATE MODEL {name} WITH ('path' = '{}', 'copy' = '{copy}')",
            folder.display()
        );
        run(&engine, &create).await.expect(name);
    }
    let graph = folder.join("onnx/model.onnx");
    let mut bytes = fs::read(&graph).expect("graph");
    *bytes.last_mut().expect("a byte") ^= 1;
    fs::write(&graph, bytes).expect("graph");
    check_error(
        &engine,
        "SELECT classify('refers', 'a')",
        "model.onnx has changed since the model was made",
    )
    .await;
    fs::remove_dir_all(&folder).expect("removed");
    check_error(&engine, "SELECT classify('refers', 'a')", "could not read").await;
    run(&engine, "ALTER MODEL copies SET ('max_length' = 16)")
        .await
        .expect("altered");
    let rows = run(
        &engine,
        "SELECT classify('copies', 'great, simple and fast')['label']",
    )
    .await
    .expect("rows");
    assert_eq!(rows[0].column(0).as_string::<i32>().value(0), "positive");
}

#[tokio::test]
async fn a_model_that_makes_something_else_than_it_did_is_refused() {
    let home = tempfile::tempdir().expect("home");
    let first = engine(home.path()).await;
    run(&first, "SELECT embed('minilm', 'a')")
        .await
        .expect("it is what it was");
    let path = home.path().join("models/minilm/1/manifest.json");
    let text = fs::read_to_string(&path).expect("a manifest");
    let mut manifest: Value = serde_json::from_str(&text).expect("JSON");
    manifest["details"]["golden"] = vec![0.1; 384].into();
    fs::write(&path, manifest.to_string()).expect("written");
    let second = builder(home.path()).build().expect("engine");
    for _ in 0..2 {
        let query = "SELECT embed('minilm', 'a')";
        check_error(
            &second,
            query,
            "makes another result of a text than when it was made",
        )
        .await;
    }
}

#[tokio::test]
async fn what_a_model_cannot_do_is_said_at_planning() {
    let home = tempfile::tempdir().expect("home");
    let engine = engine(home.path()).await;
    for (query, expected) in [
        (
            "SELECT classify('minilm', 'a') WHERE false",
            "model `minilm@1` (onnx embedding) does not classify",
        ),
        (
            "SELECT embed('topics', 'a') WHERE false",
            "model `topics@1` (onnx classification) does not embed",
        ),
        (
            "SELECT embed('minlm', 'a') WHERE false",
            "no model `minlm`; did you mean `minilm`?",
        ),
        (
            "SELECT embed('minilm@7', 'a') WHERE false",
            "model `minilm` has no version 7; it has [1]",
        ),
        (
            "SELECT embed(t, 'a') FROM (VALUES ('minilm')) AS v(t)",
            "`model` must be a constant, found `t`",
        ),
        (
            "SELECT embed('minilm') WHERE false",
            "embed(model, text): expected 2 arguments, found 1",
        ),
        (
            "SELECT embed('minilm', 7) WHERE false",
            "`text` must be a text, found Int64",
        ),
        (
            "SELECT token_ids('a', 'word') WHERE false",
            "token_ids: `tokenizer` must be a model, found the built-in tokenizer `word`",
        ),
    ] {
        check_error(&engine, query, expected).await;
    }
}
