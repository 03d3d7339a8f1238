//! `predict` and `rerank`: agreement with Python, every type of tensors, and what does not fit.

use std::fs;
use std::path::Path;

use datafusion::arrow::array::{Array, AsArray, RecordBatch};
use datafusion::arrow::datatypes::{DataType, Float32Type};
use datafusion::arrow::json::LineDelimitedWriter;
use lexstream::Engine;
use lexstream_integration_tests::onnx::{builder, check_error, engine, goldens, models, run};
use serde_json::Value;

/// Writes rows as a file of JSON lines, numbered in the column `row`, and returns it as SQL names it.
fn table(folder: &Path, rows: &[Value]) -> String {
    let path = folder.join("rows.ndjson");
    let lines: Vec<_> = rows
        .iter()
        .enumerate()
        .map(|(number, row)| {
            let mut row = row.clone();
            row["row"] = number.into();
            row.to_string()
        })
        .collect();
    fs::write(&path, lines.join("\n")).expect("rows.ndjson");
    format!("'{}'", path.display())
}

/// Returns rows as JSON, one a row.
fn json(batches: &[RecordBatch]) -> Vec<Value> {
    let mut writer = LineDelimitedWriter::new(Vec::new());
    writer
        .write_batches(&batches.iter().collect::<Vec<_>>())
        .expect("JSON");
    writer.finish().expect("JSON");
    let text = String::from_utf8(writer.into_inner()).expect("UTF-8");
    let rows = text
        .lines()
        .map(|line| serde_json::from_str(line).expect(line));
    rows.collect()
}

async fn rows(engine: &Engine, query: &str) -> Vec<Value> {
    json(&run(engine, query).await.expect(query))
}

#[tokio::test]
async fn scores_of_pairs_are_onnxruntimes_in_python() {
    let home = tempfile::tempdir().expect("home");
    let engine = engine(home.path()).await;
    let goldens = goldens("rerank");
    let table = table(home.path(), &goldens);
    for batch_size in [3, 8192] {
        let set = format!("SET datafusion.execution.batch_size = {batch_size}");
        engine.sql(&set).await.expect("set");
        let query =
            format!("SELECT rerank('overlap', query, text) AS score FROM {table} ORDER BY row");
        let rows = rows(&engine, &query).await;
        assert_eq!(rows.len(), goldens.len());
        for (row, golden) in rows.iter().zip(&goldens) {
            let score = row["score"].as_f64().expect("a score");
            let expected = golden["score"].as_f64().expect("a score");
            assert!((score - expected).abs() <= 1e-6, "{score}: {golden}");
        }
    }
    // A constant query stands in every row, and NULL gives NULL.
    let query =
        "SELECT rerank('overlap', 'fast library', t) AS score, rerank('overlap', t, 'fast') AS back
                 FROM (VALUES ('a fast library'), (NULL)) AS v(t)";
    let found = rows(&engine, query).await;
    assert!(found[0]["score"].as_f64() > found[0]["back"].as_f64());
    assert_eq!(found[1], serde_json::json!({}));
    // The graph's own number: two tokens and [SEP] are in both, less 3.
    let alter = "ALTER MODEL overlap SET ('activation' = 'none')";
    engine.sql(alter).await.expect(alter);
    let found = rows(
        &engine,
        "SELECT rerank('overlap', 'fast library', 'a fast library') AS score",
    )
    .await;
    assert_eq!(found[0]["score"], 0.0);
    let alter = "ALTER MODEL overlap SET ('truncate' = 'false')";
    engine.sql(alter).await.expect(alter);
    let long = format!("SELECT rerank('overlap', 'fast', '{}')", "word ".repeat(70));
    check_error(
        &engine,
        &long,
        "a text has 74 tokens, and the model takes 64",
    )
    .await;
}

#[tokio::test]
async fn several_inputs_and_outputs_are_onnxruntimes_in_python() {
    let home = tempfile::tempdir().expect("home");
    let engine = engine(home.path()).await;
    let goldens = goldens("predict");
    let mut inputs: Vec<_> = goldens
        .iter()
        .map(|golden| golden["inputs"].clone())
        .collect();
    // A row in which NULL stands among the values.
    let mut with_null = inputs[0].clone();
    with_null["flags"][1] = Value::Null;
    inputs.insert(5, with_null);
    let table = table(home.path(), &inputs);
    let query = format!(
        "SELECT predict('mixed', count, values, flags, matrix, name) AS p FROM {table} ORDER BY row"
    );
    let frame = engine.sql(&query).await.expect("a plan");
    let item = |item: DataType| {
        std::sync::Arc::new(datafusion::arrow::datatypes::Field::new_list_field(
            item, true,
        ))
    };
    let DataType::Struct(fields) = frame.schema().field(0).data_type() else {
        panic!("{:?}", frame.schema());
    };
    let types: Vec<_> = fields
        .iter()
        .map(|field| (field.name().as_str(), field.data_type().clone()))
        .collect();
    let rows_of_two = DataType::FixedSizeList(item(DataType::Float64), 2);
    assert_eq!(
        types,
        [
            ("multiplied", DataType::List(item(DataType::Float32))),
            ("total", DataType::Float32),
            ("any", DataType::Boolean),
            ("transposed", DataType::FixedSizeList(item(rows_of_two), 3)),
            ("label", DataType::Utf8),
        ]
    );
    for batch_size in [2, 8192] {
        let set = format!("SET datafusion.execution.batch_size = {batch_size}");
        engine.sql(&set).await.expect("set");
        let mut found = rows(&engine, &query).await;
        assert_eq!(found.remove(5), serde_json::json!({}));
        assert_eq!(found.len(), goldens.len());
        for (found, golden) in found.iter().zip(&goldens) {
            assert_eq!(found["p"], golden["outputs"], "{}", golden["inputs"]);
        }
    }
    let alter = "ALTER MODEL mixed SET ('outputs' = 'any, total')";
    engine.sql(alter).await.expect(alter);
    let found = rows(&engine, &query).await;
    assert_eq!(
        found[1]["p"],
        serde_json::json!({"any": true, "total": 0.0})
    );
}

#[tokio::test]
async fn every_type_of_tensors_goes_in_and_comes_out() {
    let home = tempfile::tempdir().expect("home");
    let engine = builder(home.path()).build().expect("engine");
    let create = format!(
        "CREATE MODEL types WITH ('path' = '{}')",
        models().join("types/model.onnx").display()
    );
    engine.sql(&create).await.expect("types");
    let call = |unsigned: &str| {
        format!(
            "SELECT predict('types', 1.5, true, 0.1, 0.1, 0.1, -7, -7, -7, -7, 'été', 65535, 4294967295, {unsigned}, 255) AS p"
        )
    };
    let found = rows(&engine, &call("9223372036854775807")).await;
    let expected = serde_json::json!({
        "bfloat16": 1.5, "bool": true, "double": 0.1, "float": 0.1, "float16": 0.099_975_586,
        "int16": -7, "int32": -7, "int64": -7, "int8": -7, "string": "été",
        "uint16": 65_535, "uint32": 4_294_967_295_u64, "uint64": 9_223_372_036_854_775_807_u64, "uint8": 255,
    });
    assert_eq!(found[0]["p"], expected);
    let beyond = call("arrow_cast(9223372036854775808, 'UInt64')");
    check_error(
        &engine,
        &beyond,
        "Int64 has no place for 9223372036854775808",
    )
    .await;
    let beyond = call("1").replace("255)", "256)");
    check_error(&engine, &beyond, "Can't cast value 256 to type UInt8").await;
}

#[tokio::test]
async fn rows_run_together_and_constants_once() {
    let home = tempfile::tempdir().expect("home");
    let engine = engine(home.path()).await;
    let alter = "ALTER MODEL price SET ('max_batch_rows' = '100')";
    engine.sql(alter).await.expect(alter);
    let query = "SELECT predict('price', [value, 1.0]) AS price FROM generate_series(1, 1000)";
    let found = run(&engine, query).await.expect("rows");
    let prices: Vec<_> = found
        .iter()
        .flat_map(|batch| {
            batch
                .column(0)
                .as_primitive::<Float32Type>()
                .values()
                .to_vec()
        })
        .collect();
    let expected: Vec<_> = (1..=1000).map(|value| 2.0 * value as f32 + 15.0).collect();
    assert_eq!(prices, expected);
    let found = run(&engine, &format!("EXPLAIN ANALYZE {query}"))
        .await
        .expect("a plan");
    let plan = found[0].column(1).as_string::<i32>().value(0).to_owned();
    // Slices of 32, 64, 128, 256, 512 and 8 rows are 1, 1, 2, 3, 6 and 1 runs.
    assert!(
        plan.contains("InferenceExec: calls=[predict(price@2") && plan.contains("runs=14"),
        "{plan}"
    );
    let empty = run(
        &engine,
        "SELECT predict('price', [value, 1.0]) FROM generate_series(1, 0)",
    );
    assert_eq!(
        empty
            .await
            .expect("no rows")
            .iter()
            .map(RecordBatch::num_rows)
            .sum::<usize>(),
        0
    );
    let null = run(&engine, "SELECT predict('price', NULL)")
        .await
        .expect("a row");
    assert!(null[0].column(0).is_null(0));
}

#[tokio::test]
async fn what_does_not_fit_is_said() {
    let home = tempfile::tempdir().expect("home");
    let engine = engine(home.path()).await;
    for (call, expected) in [
        (
            "predict('price')",
            "predict(model, input, …): expected 2 or more arguments, found 1",
        ),
        (
            "predict('price', [1.0, 2.0], 3)",
            "model `price@1`: expected 1 input, found 2: float32 [?, 2]",
        ),
        (
            "predict('price', 'dear')",
            "input `features` is float32 [?, 2]: expected a list of 2 numbers, found Utf8",
        ),
        (
            "predict('price', 1.0)",
            "expected a list of 2 numbers, found Float64",
        ),
        (
            "predict('price', arrow_cast([1.0, 2.0, 3.0], 'FixedSizeList(3, Float64)'))",
            "expected a list of 2 numbers, found FixedSizeList",
        ),
        (
            "predict('price', [1.0, 2.0, 3.0])",
            "row 0 of the batch: input `features` expects a list of 2 numbers, found 3 values",
        ),
        (
            "predict('price', {a: 1})",
            "`input` must be numbers, truth values, texts, or lists of them",
        ),
        (
            "predict('mixed', 1.5, [1], [true, true, true], [1, 2, 3, 4, 5, 6], 'x')",
            "input `count` is int64 [?]: expected integer, found Float64",
        ),
        (
            "predict('mixed', 1, [1], [true, true], [1, 2, 3, 4, 5, 6], 'x')",
            "input `flags` expects a list of 3 truth values, found 2 values",
        ),
        (
            "predict('minilm', 1)",
            "model `minilm@1` (onnx embedding) does not predict",
        ),
        (
            "embed('price', 'x')",
            "model `price@1` (onnx predict) does not embed",
        ),
        (
            "tokenize('x', 'price')",
            "model `price@1` (onnx predict) does not tokenize",
        ),
        (
            "rerank('minilm', 'x', 'y')",
            "model `minilm@1` (onnx embedding) does not rerank",
        ),
        (
            "rerank('overlap', 'x')",
            "rerank(model, query, text): expected 3 arguments, found 2",
        ),
    ] {
        check_error(&engine, &format!("SELECT {call}"), expected).await;
    }
    let create = |path: &str, options: &str| {
        let path = models().join(path);
        format!(
            "CREATE MODEL m WITH ('path' = '{}'{options})",
            path.display()
        )
    };
    for (create, expected) in [
        (
            create("price", ", 'outputs' = 'cost'"),
            "the graph has no output `cost`; it has price",
        ),
        (
            create("price", ", 'max_batch_rows' = '0'"),
            "`max_batch_rows` must be a number of at least 1",
        ),
        (
            create("price", ", 'task' = 'rerank'"),
            "expected tokenizer.json beside the graph",
        ),
        (
            create("sentiment", ", 'task' = 'rerank'"),
            "expected an output of floating-point numbers [pairs] or [pairs, 1], found logits float32 [?, 2]",
        ),
        (
            create("overlap", ", 'activation' = 'softmax'"),
            "`activation` must be one of none, sigmoid, found `softmax`",
        ),
    ] {
        check_error(&engine, &create, expected).await;
    }
}

#[tokio::test]
async fn a_model_that_runs_out_of_memory_fails_its_query_alone() {
    let home = tempfile::tempdir().expect("home");
    let engine = builder(home.path()).build().expect("engine");
    let create = format!(
        "CREATE MODEL huge WITH ('path' = '{}')",
        models().join("huge").display()
    );
    engine.sql(&create).await.expect("huge");
    // Four terabytes.
    let much = "SELECT predict('huge', 1000000000000)";
    check_error(&engine, much, "model `huge@1`: ONNX Runtime failed").await;
    let found = rows(&engine, "SELECT predict('huge', 1000) AS n").await;
    assert_eq!(found[0]["n"], 1000.0);
}

#[tokio::test]
async fn an_operator_set_that_is_not_known_is_named() {
    let home = tempfile::tempdir().expect("home");
    let engine = builder(home.path()).build().expect("engine");
    let create = format!(
        "CREATE MODEL future WITH ('path' = '{}')",
        models().join("future").display()
    );
    check_error(
        &engine,
        &create,
        "model.onnx: ONNX Runtime can't load this graph",
    )
    .await;
    check_error(&engine, &create, "99").await;
}
