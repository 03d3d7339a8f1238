//! Three batches and an empty one give what DataFusion gives for all rows at once.

use datafusion::arrow::array::AsArray;
use datafusion::arrow::datatypes::Int64Type;
use datafusion::prelude::SessionContext;

use super::{at_once, batches, check_sum, docs, rowwise, session, with_origins};

/// Checks queries; where the first column is `id`, that each row came from the row of that `id`.
pub(super) async fn check(queries: &[&str]) {
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
        "SELECT id FROM (SELECT id, n FROM docs UNION ALL SELECT id, unnest(tags) FROM docs) WHERE n NOT IN (SELECT n FROM complete)",
        "SELECT u.id, w.word FROM (SELECT id, n FROM docs UNION ALL SELECT id, id + 0 FROM docs) u CROSS JOIN words w WHERE u.n < w.n",
        "WITH one AS (SELECT id, n FROM docs WHERE n > 1) SELECT n, 'a' FROM one UNION ALL SELECT id, 'b' FROM one",
    ])
    .await;
}
