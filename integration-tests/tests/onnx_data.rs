//! Graphs whose tensors lie in files of their own, exports that say how long a text may be, and vectors that are none.

use std::fs;
use std::path::Path;

use lexstream::Engine;
use lexstream_integration_tests::job::json;
use lexstream_integration_tests::onnx::{self, builder, chain, models};
use serde_json::Value;

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("folder");
    for entry in fs::read_dir(from).expect("folder").flatten() {
        let place = to.join(entry.file_name());
        match entry.path().is_dir() {
            true => copy(&entry.path(), &place),
            false => drop(fs::copy(entry.path(), place).expect("a copy")),
        }
    }
}

async fn run(engine: &Engine, query: &str) -> Result<Vec<Value>, String> {
    Ok(json(&onnx::run(engine, query).await?))
}

const LABEL: &str = "SELECT classify('m', 'a great text')['label'] AS label";

#[tokio::test]
async fn a_file_that_the_graph_names_belongs_to_the_model() {
    let home = tempfile::tempdir().expect("home");
    let export = home.path().join("export");
    copy(&models().join("apart"), &export);
    for options in ["", ", 'copy' = 'true'"] {
        let engine = builder(home.path()).build().expect("engine");
        let create = format!(
            "CREATE OR REPLACE MODEL m WITH ('path' = '{}'{options})",
            export.display()
        );
        engine.sql(&create).await.expect("a model");
        let found = run(&engine, LABEL).await.expect("a label");
        assert_eq!(found[0]["label"], "positive", "{options}");
        let described = run(&engine, "DESCRIBE MODEL m").await.expect("described");
        let described = serde_json::to_string(&described).expect("JSON");
        assert!(described.contains("weights.bin"), "{described}");
    }
    // The copy is a model of its own; what refers to the export sees that it has changed.
    let data = export.join("onnx/weights.bin");
    let mut bytes = fs::read(&data).expect("tensors");
    bytes[0] ^= 1;
    fs::write(&data, bytes).expect("written");
    let engine = builder(home.path()).build().expect("engine");
    run(&engine, LABEL).await.expect("a label");
    let first = LABEL.replace("'m'", "'m@1'");
    let error = run(&engine, &first).await.expect_err("it has changed");
    assert!(error.contains("weights.bin"), "{error}");
    fs::remove_file(&data).expect("removed");
    let create = format!("CREATE MODEL n WITH ('path' = '{}')", export.display());
    let error = chain(&engine.sql(&create).await.expect_err("it is gone"));
    assert!(
        error.contains("its tensors are in `onnx/weights.bin`"),
        "{error}"
    );
}

#[tokio::test]
async fn a_file_outside_of_the_export_is_never_touched() {
    for outside in ["/../../x.bin", "../outside.b"] {
        let home = tempfile::tempdir().expect("home");
        let export = home.path().join("export");
        copy(&models().join("apart"), &export);
        fs::write(home.path().join("outside.b"), "mine").expect("written");
        let graph = export.join("onnx/model.onnx");
        let mut bytes = fs::read(&graph).expect("a graph");
        // Locations of the same length.
        let name = b"weights.bin";
        let outside = &outside.as_bytes()[..name.len().min(outside.len())];
        let mut padded = outside.to_vec();
        padded.resize(name.len(), b'x');
        for at in 0..bytes.len() - name.len() {
            if &bytes[at..at + name.len()] == name {
                bytes[at..at + name.len()].copy_from_slice(&padded);
            }
        }
        fs::write(&graph, bytes).expect("written");
        let engine = builder(home.path()).build().expect("engine");
        for options in ["", ", 'copy' = 'true'"] {
            let create = format!(
                "CREATE MODEL m WITH ('path' = '{}'{options})",
                export.display()
            );
            let error = chain(&engine.sql(&create).await.expect_err("it is outside"));
            assert!(
                error.contains("expected its tensors in files beside it"),
                "{error}"
            );
        }
        let left = fs::read(home.path().join("outside.b")).expect("a file");
        assert_eq!(left, b"mine");
    }
}

#[tokio::test]
async fn exports_say_how_long_a_text_may_be() {
    for (model_type, tokenizer, sentence, expected) in [
        ("bert", None, None, "512"),
        ("roberta", None, None, "510"),
        ("roberta", Some("1e30"), None, "510"),
        ("bert", Some("128"), None, "128"),
        ("bert", Some("128"), Some("300"), "300"),
        ("roberta", None, Some("512"), "510"),
    ] {
        let home = tempfile::tempdir().expect("home");
        let export = home.path().join("export");
        copy(&models().join("sentiment"), &export);
        let config = export.join("config.json");
        let text = fs::read_to_string(&config).expect("config.json");
        let with_type = format!("{{\"model_type\": \"{model_type}\",");
        fs::write(&config, text.replacen('{', &with_type, 1)).expect("written");
        if let Some(length) = tokenizer {
            let text = format!("{{\"model_max_length\": {length}}}");
            fs::write(export.join("tokenizer_config.json"), text).expect("written");
        }
        if let Some(length) = sentence {
            let text = format!("{{\"max_seq_length\": {length}}}");
            fs::write(export.join("sentence_bert_config.json"), text).expect("written");
        }
        let engine = builder(home.path()).build().expect("engine");
        let create = format!("CREATE MODEL m WITH ('path' = '{}')", export.display());
        engine.sql(&create).await.expect("a model");
        let query = "DESCRIBE MODEL m";
        let described = run(&engine, query).await.expect("described");
        let length = described.iter().find(|row| row["property"] == "max_length");
        assert_eq!(length.expect("a length")["value"], expected, "{model_type}");
    }
}

#[tokio::test]
async fn a_vector_that_is_all_zero_or_no_number_is_an_error_and_never_a_row() {
    let home = tempfile::tempdir().expect("home");
    let engine = builder(home.path()).build().expect("engine");
    let path = models().join("flawed");
    let create = format!("CREATE MODEL m WITH ('path' = '{}')", path.display());
    engine.sql(&create).await.expect("a model");
    let vector = run(&engine, "SELECT embed('m', 'a tiger') AS v").await;
    assert_eq!(vector.expect("a vector").len(), 1);
    for text in ["lion", "a zebra"] {
        let query = format!("SELECT embed('m', t) FROM (VALUES ('a tiger'), ('{text}')) AS v (t)");
        let error = run(&engine, &query).await.expect_err(text);
        let told = "the model gave a result that is all zero or no number";
        assert!(error.contains(told), "{error}");
    }
}

#[tokio::test]
async fn a_text_of_many_megabytes_is_counted_in_parts() {
    let home = tempfile::tempdir().expect("home");
    let engine = builder(home.path()).build().expect("engine");
    let path = models().join("sentiment");
    let create = format!(
        "CREATE MODEL m WITH ('path' = '{}', 'truncate' = 'false')",
        path.display()
    );
    engine.sql(&create).await.expect("a model");
    // "hello" is one token, and two stand around all of them.
    let query = "SELECT token_count(t, 'm') AS n, cardinality(token_ids(t, 'm')) AS ids
        FROM (SELECT repeat('hello ', 500000) AS t)";
    let found = run(&engine, query).await.expect("counts");
    assert_eq!(found[0]["ids"], 500_002);
    assert_eq!(found[0]["n"], 500_000);
    let query = "SELECT classify('m', repeat('hello ', 500000))";
    let error = run(&engine, query).await.expect_err("it is too long");
    assert!(
        error.contains("a text has 500002 tokens, and the model takes 512"),
        "{error}"
    );
}

#[tokio::test]
async fn an_output_in_half_precision_is_read() {
    let home = tempfile::tempdir().expect("home");
    let engine = builder(home.path()).build().expect("engine");
    for (name, export) in [("whole", "sentiment"), ("half", "half")] {
        let path = models().join(export);
        let create = format!("CREATE MODEL {name} WITH ('path' = '{}')", path.display());
        engine.sql(&create).await.expect("a model");
    }
    let query = "SELECT classify('half', t)['label'] = classify('whole', t)['label']
                    AND abs(classify('half', t)['score'] - classify('whole', t)['score']) < 0.001 AS same
                 FROM (VALUES ('a great text'), ('a bad, awful one'), ('neither')) AS v(t)";
    for row in run(&engine, query).await.expect("scores") {
        assert_eq!(row["same"], true);
    }
}
