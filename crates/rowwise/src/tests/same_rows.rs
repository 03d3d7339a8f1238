//! Three batches and an empty one give what DataFusion gives for all rows at once.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, RecordBatch, StructArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Field, Int64Type};
use datafusion::prelude::SessionContext;

use super::{
    SOURCE, at_once, batches, check_sum, docs, register, rowwise, session, with_origins, words,
};

/// Checks queries; where the first column is `id`, that each row came from the row of that `id`.
pub(super) async fn check(queries: &[&str]) {
    check_in(&session(), &docs(), queries).await;
}

async fn check_in(context: &SessionContext, source: &RecordBatch, queries: &[&str]) {
    for sql in queries {
        let rowwise = match rowwise(context, &[sql]).await {
            Ok(rowwise) => rowwise,
            Err(error) => panic!("{sql}\n{error}"),
        };
        let plan = rowwise.plans().remove(0);
        let is_by_id = rowwise.schemas()[0].field(0).name() == "id";
        let ids = source.column(0).as_primitive::<Int64Type>();
        let (mut found, mut start) = (Vec::new(), 0);
        for batch in batches(&rowwise, source, &[3, 0, 2]) {
            let rows = batch.num_rows();
            let outcome = rowwise
                .run(batch)
                .await
                .unwrap_or_else(|error| panic!("{sql}\n{error}\n{plan}"));
            check_sum(&outcome, rows);
            assert!(outcome.failed.is_empty(), "{sql}: {:?}", outcome.failed);
            for (origin, line) in with_origins(&outcome.outputs[0]) {
                if is_by_id {
                    let id = ids.value(start + origin as usize).to_string();
                    assert_eq!(line.split(" | ").next(), Some(id.as_str()), "{sql}\n{plan}");
                }
                found.push(line);
            }
            start += rows;
        }
        found.sort();
        let expected = at_once(context, sql).await.expect(sql);
        assert_eq!(found, expected, "{sql}\n{plan}");
    }
}

#[tokio::test]
async fn columns_conditions_and_names() {
    check(&[
        "SELECT * FROM docs",
        "SELECT id, n + 1 AS next, upper(text) FROM docs WHERE n > 1",
        "SELECT 1 FROM docs",
        "SELECT id FROM docs WHERE false",
        "SELECT id, unnest(tags) FROM docs WHERE n > (SELECT n FROM nothing)",
        "SELECT id FROM docs UNION ALL SELECT unnest(tags) FROM docs WHERE n > (SELECT n FROM nothing)",
        "SELECT d.id, d.text AS words FROM docs AS d WHERE d.n IS NOT NULL",
        "WITH some AS (SELECT id, n FROM docs WHERE n > 1) SELECT s.id, s.n * 2 FROM some s WHERE s.n < 8",
        "SELECT id, CASE WHEN n > 2 THEN 'many' ELSE 'few' END FROM (SELECT * FROM docs) WHERE text <> ''",
    ])
    .await;
}

#[tokio::test]
async fn lists_become_rows() {
    check(&[
        "SELECT id, unnest(tags) AS tag FROM docs",
        "SELECT id, unnest(tags) + n AS sum FROM docs WHERE n > 1",
        "SELECT id, tag FROM (SELECT id, unnest(tags) AS tag FROM docs) WHERE tag % 2 = 0",
        "SELECT id, unnest(tags), unnest(make_array(n, id)) FROM docs",
        "SELECT id, unnest(named_struct('a', n, 'b', text)) FROM docs",
        "SELECT id, unnest(make_array(tags, make_array(n))) FROM docs",
        "SELECT s.id, w.word FROM (SELECT id, unnest(tags) AS tag FROM docs) s JOIN words w ON s.tag = w.n",
    ])
    .await;
}

#[tokio::test]
async fn unions_of_the_source_with_itself() {
    check(&[
        "SELECT id, n FROM docs UNION ALL SELECT id, id + 0 FROM docs WHERE n > 1",
        "SELECT n, text FROM docs UNION ALL SELECT id, text FROM docs UNION ALL SELECT 1, 'one' FROM docs",
        "SELECT id, text FROM docs UNION ALL BY NAME SELECT id, n FROM docs",
        "SELECT u.id, w.word FROM (SELECT id, n FROM docs UNION ALL SELECT id, id + 0 FROM docs) u JOIN words w ON u.n = w.n",
        "SELECT u.id FROM (SELECT id, n FROM docs UNION ALL SELECT id, unnest(tags) FROM docs) u WHERE u.n NOT IN (SELECT n FROM complete)",
        "SELECT u.id, w.word FROM (SELECT id, n FROM docs UNION ALL SELECT id, id + 0 FROM docs) u CROSS JOIN words w WHERE u.n < w.n",
        "WITH one AS (SELECT id, n FROM docs WHERE n > 1) SELECT n, 'a' FROM one UNION ALL SELECT id, 'b' FROM one",
    ])
    .await;
}

#[tokio::test]
async fn every_encoding_of_text_and_nested_columns() {
    let queries = [
        "SELECT id, text, tags, pair FROM docs WHERE text <> 'x'",
        "SELECT d.id, d.text, d.pair['a'], w.word FROM docs d JOIN words w ON w.word = concat('word ', d.text)",
        "SELECT id FROM docs WHERE text IN (SELECT word FROM words) OR text = 'x'",
        "SELECT id, text FROM docs WHERE text NOT IN (SELECT word FROM words)",
        "SELECT id, text, unnest(tags) FROM docs UNION ALL SELECT id, text, n FROM docs",
    ];
    let dictionary = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
    for encoding in [
        DataType::Utf8,
        DataType::LargeUtf8,
        DataType::Utf8View,
        dictionary,
    ] {
        let source = nested(&docs(), &encoding);
        let context = session();
        context.deregister_table(SOURCE).expect("a table");
        register(&context, SOURCE, source.clone());
        check_in(&context, &source, &queries).await;
    }
}

/// Returns a batch with its texts in another encoding, and a column `pair` of structs.
fn nested(batch: &RecordBatch, encoding: &DataType) -> RecordBatch {
    let text = cast(batch.column(1), encoding).expect("a text in another encoding");
    let fields = vec![
        Field::new("a", encoding.clone(), true),
        Field::new("b", DataType::Int64, true),
    ];
    let pair = StructArray::new(
        fields.into(),
        vec![Arc::clone(&text), Arc::clone(batch.column(2))],
        None,
    );
    RecordBatch::try_from_iter_with_nullable([
        ("id", Arc::clone(batch.column(0)), false),
        ("text", text, true),
        ("n", Arc::clone(batch.column(2)), true),
        ("tags", Arc::clone(batch.column(3)), true),
        ("pair", Arc::new(pair) as ArrayRef, true),
    ])
    .expect("a batch")
}

#[tokio::test]
async fn names_that_clash_or_need_quotes() {
    let context = SessionContext::new();
    let source = docs();
    let names = ["id", "__origin", "文本 \"名\"", "C"].into_iter();
    let columns = names
        .zip(source.columns())
        .map(|(name, column)| (name, Arc::clone(column), true));
    let source = RecordBatch::try_from_iter_with_nullable(columns).expect("a batch");
    register(&context, SOURCE, source.clone());
    register(&context, "static_0", words(&[Some(2)]));
    let queries = [
        "SELECT * FROM docs",
        "SELECT id, __origin FROM docs WHERE __origin = 'x'",
        "SELECT id, id AS __origin, 1 AS __origin_ FROM docs",
        "SELECT d.id, d.\"文本 \"\"名\"\"\" AS \"数\", unnest(\"C\") FROM docs d",
        "SELECT d.id, static_0.* FROM docs d JOIN static_0 ON d.\"文本 \"\"名\"\"\" = static_0.n",
    ];
    check_in(&context, &source, &queries).await;
}

#[tokio::test]
async fn several_queries_read_the_columns_that_one_of_them_needs() {
    let queries = [
        "SELECT text FROM docs",
        "SELECT id FROM docs WHERE n > 1",
        "SELECT 1 FROM docs",
    ];
    let planned = rowwise(&session(), &queries).await.expect("row by row");
    assert_eq!(planned.columns(), [0, 1, 2]);
    let outcome = planned
        .run(docs().slice(4, 4).project(&[0, 1, 2]).expect("columns"))
        .await
        .expect("an outcome");
    let rows: Vec<_> = outcome
        .outputs
        .iter()
        .map(|outputs| with_origins(outputs))
        .collect();
    let row = |origin: u32, line: &str| (origin, line.to_owned());
    assert_eq!(
        rows[0],
        [row(0, "12"), row(1, "y z"), row(2, "3"), row(3, "x")]
    );
    assert_eq!(rows[1], [row(0, "4"), row(2, "6"), row(3, "7")]);
    assert_eq!(
        rows[2],
        (0..4).map(|origin| row(origin, "1")).collect::<Vec<_>>()
    );
    let nothing = rowwise(&session(), &["SELECT 1 FROM docs"])
        .await
        .expect("row by row");
    assert!(nothing.columns().is_empty());
}

#[tokio::test]
async fn rows_of_a_union_come_in_the_order_of_the_input_and_then_of_its_parts() {
    let sql = "SELECT 'a', id FROM docs WHERE id < 3 UNION ALL SELECT 'b', id FROM docs WHERE id > 0 UNION ALL SELECT 'c', id FROM docs";
    let planned = rowwise(&session(), &[sql]).await.expect("row by row");
    let batch = batches(&planned, &docs(), &[4]).remove(0);
    let rows = with_origins(&planned.run(batch).await.expect("an outcome").outputs[0]);
    let lines: Vec<_> = rows
        .iter()
        .map(|(_, line)| line.replace(" | ", ""))
        .collect();
    assert_eq!(lines.join(" "), "a0 c0 a1 b1 c1 a2 b2 c2 b3 c3");
}
