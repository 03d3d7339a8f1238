//! Speed of the functions, one batch at a time: `function/encoding/rows`, in bytes of text.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use arrow::array::{
    Array, ArrayRef, AsArray, LargeStringArray, RecordBatch, StringArray, StringViewArray,
};
use arrow::datatypes::{DataType, Field, Int64Type};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group};
use datafusion_common::ScalarValue;
use datafusion_common::config::ConfigOptions;
use datafusion_expr::{ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF};
use lexstream_columns::model::{Models, NoModels};
use lexstream_udfs::functions::scalar;

/// As many as a batch of DataFusion has.
const ROWS: usize = 8192;

/// English text in all but meaning, and the same with an accent in every row.
const ASCII: &str = "Whoever reads a corpus by hand soon learns that most words are short, that few are rare, and that 3.14 isn't one of them. ";
const MIXED: &str = "Wer einen Korpus von Hand liest, lernt früh, daß die meisten Wörter kurz sind; 我来到北京 и это тоже слова. ";

fn texts(text: &str) -> Vec<String> {
    (0..ROWS).map(|row| text.repeat(1 + row % 8)).collect()
}

fn function(name: &str) -> Arc<ScalarUDF> {
    let models: Arc<dyn Models> = Arc::new(NoModels);
    scalar::all(&models)
        .into_iter()
        .find(|function| function.name() == name)
        .expect("a function of ours")
}

fn call(function: &ScalarUDF, column: &ArrayRef, option: &str) -> ArrayRef {
    let option = ScalarValue::from(option);
    let fields = [("text", column.data_type()), ("option", &DataType::Utf8)];
    let fields =
        fields.map(|(name, data_type)| Arc::new(Field::new(name, data_type.clone(), true)));
    let constants = [None, Some(&option)];
    let plan = ReturnFieldArgs {
        arg_fields: &fields,
        scalar_arguments: &constants,
    };
    let args = ScalarFunctionArgs {
        args: vec![
            ColumnarValue::Array(Arc::clone(column)),
            ColumnarValue::Scalar(option.clone()),
        ],
        arg_fields: fields.to_vec(),
        number_rows: column.len(),
        return_field: function
            .return_field_from_args(plan)
            .expect("the call fits"),
        config_options: Arc::new(ConfigOptions::default()),
    };
    function
        .invoke_with_args(args)
        .expect("it runs")
        .into_array(column.len())
        .expect("a column")
}

/// Returns the tokens of a result, counted, so that every benchmark is known to do its work.
fn count(result: &ArrayRef) -> i64 {
    match result.data_type() {
        DataType::List(_) => result.as_list::<i32>().values().len() as i64,
        DataType::Int64 => result.as_primitive::<Int64Type>().values().iter().sum(),
        _ => result.len() as i64,
    }
}

fn benches(criterion: &mut Criterion) {
    for (script, text) in [("ascii", ASCII), ("mixed", MIXED)] {
        let texts = texts(text);
        let bytes: usize = texts.iter().map(String::len).sum();
        let columns: [(&str, ArrayRef); 3] = [
            ("utf8", Arc::new(StringArray::from(texts.clone()))),
            (
                "large_utf8",
                Arc::new(LargeStringArray::from(texts.clone())),
            ),
            (
                "utf8_view",
                Arc::new(texts.iter().map(Some).collect::<StringViewArray>()),
            ),
        ];
        for (name, option) in [
            ("tokenize", "sklearn"),
            ("tokenize", "whitespace"),
            ("tokenize", "word"),
            ("token_count", "sklearn"),
            ("normalize_text", "nfkc"),
        ] {
            let function = function(name);
            let mut group = criterion.benchmark_group(format!("{name} {option} {script}"));
            group
                .throughput(Throughput::Bytes(bytes as u64))
                .sample_size(10);
            for (encoding, column) in &columns {
                let once = count(&call(&function, column, option));
                let first = count(&call(&function, &columns[0].1, option));
                assert!(
                    once > 0 && once == first,
                    "{name} {option} {encoding}: {once}, {first}"
                );
                group.bench_with_input(
                    BenchmarkId::new(*encoding, ROWS),
                    column,
                    |bencher, column| {
                        bencher.iter(|| black_box(call(&function, column, option)));
                    },
                );
            }
            group.finish();
        }
        // What no function can beat: every byte of the column is read once.
        let mut group = criterion.benchmark_group(format!("scan {script}"));
        group
            .throughput(Throughput::Bytes(bytes as u64))
            .sample_size(10);
        let batch =
            RecordBatch::try_from_iter([("text", Arc::clone(&columns[0].1))]).expect("a batch");
        group.bench_function(BenchmarkId::new("utf8", ROWS), |bencher| {
            bencher.iter(|| {
                let values = batch.column(0).as_string::<i32>().values();
                black_box(
                    values
                        .iter()
                        .fold(0_u64, |sum, byte| sum.wrapping_add(u64::from(*byte))),
                )
            });
        });
        group.finish();
    }
}

/// How often both are timed in turn: what else the machine does slows both.
const ROUNDS: usize = 15;

/// Prints how fast `tokenize` cuts Chinese compared with jieba-rs, called for text after text.
fn against_jieba_rs() {
    let texts = texts(
        "那年春天，他从北京来到南方的一座小城，在图书馆的旧书堆里读完了三百多本县志，写成一篇关于茶叶贸易的论文。",
    );
    let column: ArrayRef = Arc::new(StringArray::from(texts.clone()));
    let function = function("tokenize");
    let jieba = jieba_rs::Jieba::new();
    let ours = || count(&call(&function, &column, "jieba"));
    let theirs = || -> i64 {
        let cuts = texts.iter().map(|text| jieba.cut(text, true));
        cuts.map(|tokens| black_box(tokens).len() as i64).sum()
    };
    assert_eq!(ours(), theirs(), "both cut alike");
    let mut ratios: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let seconds = |run: &dyn Fn() -> i64| {
                let began = Instant::now();
                black_box(run());
                began.elapsed().as_secs_f64()
            };
            seconds(&theirs) / seconds(&ours)
        })
        .collect();
    ratios.sort_by(f64::total_cmp);
    let median = ratios[ROUNDS / 2];
    let verdict = if median >= 0.8 { "met" } else { "MISSED" };
    println!("tokenize jieba: {median:.2} of jieba-rs called directly; target 0.8: {verdict}");
}

criterion_group!(functions, benches);

fn main() {
    against_jieba_rs();
    functions();
    Criterion::default().configure_from_args().final_summary();
}
