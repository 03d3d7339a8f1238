//! Three batches and an empty one give what DataFusion gives for all rows at once.

use datafusion::arrow::array::AsArray;
use datafusion::arrow::datatypes::Int64Type;
use datafusion::prelude::SessionContext;

use super::{at_once, batches, check_sum, docs, rowwise, session, with_origins};

/// Checks queries; where the first column is `id`, that each row came from the row of that `id`.
async fn check(queries: &[&str]) {
    check_in(&session(), &docs(), queries).await;
}

async fn check_in(
    context: &SessionContext,
    source: &datafusion::arrow::array::RecordBatch,
    queries: &[&str],
) {
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
        "SELECT d.id, d.text AS words FROM docs AS d WHERE d.n IS NOT NULL",
        "WITH some AS (SELECT id, n FROM docs WHERE n > 1) SELECT s.id, s.n * 2 FROM some s WHERE s.n < 8",
        "SELECT id, CASE WHEN n > 2 THEN 'many' ELSE 'few' END FROM (SELECT * FROM docs) WHERE text <> ''",
    ])
    .await;
}
