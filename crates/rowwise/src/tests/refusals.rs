//! What is refused, by name and reason.

use super::{rowwise, session};

/// Checks that a query is refused in these words.
pub(super) async fn refused(sql: &str, expected: &str) {
    match rowwise(&session(), &[sql]).await {
        Ok(planned) => panic!("{sql}: not refused\n{}", planned.plans()[0]),
        Err(error) => assert_eq!(error.to_string(), expected, "{sql}"),
    }
}

/// Checks that queries are refused in these words, behind the name of the part.
async fn check(cases: &[(&str, &str, &str)]) {
    for (sql, name, reason) in cases {
        refused(sql, &format!("{name} does not work row by row: {reason}")).await;
    }
}

#[tokio::test]
async fn what_needs_all_rows_at_once() {
    let all = "it needs all rows of `docs` at once";
    let equal = "it compares all rows to drop equal ones";
    let order = "it needs all rows of `docs` at once; rows come out in the order of `docs`";
    check(&[
        ("SELECT count(*) FROM docs", "count()", all),
        ("SELECT n, max(id) AS last FROM docs GROUP BY n", "max()", all),
        ("SELECT n FROM docs GROUP BY n", "GROUP BY", all),
        ("SELECT id FROM docs ORDER BY id", "ORDER BY", order),
        ("SELECT id FROM (SELECT id FROM docs ORDER BY id LIMIT 2)", "LIMIT", "it counts all rows of `docs`"),
        ("SELECT id FROM docs LIMIT 3", "LIMIT", "it counts all rows of `docs`"),
        ("SELECT DISTINCT n FROM docs", "DISTINCT", equal),
        ("SELECT DISTINCT ON (n) n, id FROM docs", "DISTINCT", equal),
        ("SELECT id FROM docs UNION SELECT n FROM docs", "UNION", "it compares all rows to drop equal ones; write UNION ALL"),
        ("SELECT id, row_number() OVER () FROM docs", "row_number() OVER", "it looks at other rows of `docs`"),
        ("SELECT id, sum(n) OVER (ORDER BY id) AS so_far FROM docs", "sum() OVER", "it looks at other rows of `docs`"),
        ("SELECT n FROM docs INTERSECT SELECT n FROM words", "INTERSECT", "it compares rows with each other; look them up with IN or EXISTS"),
        ("SELECT n FROM docs EXCEPT SELECT n FROM words", "EXCEPT", "it compares rows with each other; look them up with NOT EXISTS"),
        ("SELECT n FROM words EXCEPT ALL SELECT n FROM docs", "EXCEPT", "it compares rows with each other; look them up with NOT EXISTS"),
        ("WITH RECURSIVE steps AS (SELECT id AS n FROM docs UNION ALL SELECT n + 1 FROM steps WHERE n < 5) SELECT n FROM steps", "WITH RECURSIVE", all),
    ])
    .await;
}

#[tokio::test]
async fn the_source_where_all_of_it_is_needed() {
    let subquery = "the subquery needs all rows of `docs` for each of its own";
    check(&[
        ("SELECT id FROM docs WHERE n IN (SELECT id FROM docs)", "`docs` in a subquery", subquery),
        ("SELECT id, (SELECT max(id) FROM docs) FROM docs", "`docs` in a subquery", subquery),
        ("SELECT d.id FROM docs d WHERE EXISTS (SELECT 1 FROM words w WHERE w.n IN (SELECT n FROM docs))", "`docs` in a subquery", subquery),
        ("SELECT w.n, d.id FROM words w CROSS JOIN LATERAL (SELECT id FROM docs WHERE docs.n = w.n) d", "`docs` in a subquery", subquery),
        ("SELECT a.id FROM docs a JOIN docs b ON a.n = b.id", "JOIN of `docs` with itself", "a row of `docs` can't meet the other rows of `docs`"),
        ("SELECT id FROM docs UNION ALL SELECT n FROM words", "UNION ALL", "the rows of a part that does not read `docs` would come out with every batch"),
    ])
    .await;
}

#[tokio::test]
async fn functions_that_give_something_else_each_time() {
    let volatile =
        "it gives another value each time, so a row that is run again would come out differently";
    let still =
        "its value is that of the start, and it would stand still; take the time from a column";
    check(&[
        ("SELECT id, random() FROM docs", "random()", volatile),
        ("SELECT id FROM docs WHERE uuid() <> text", "uuid()", volatile),
        ("SELECT d.id FROM docs d JOIN (SELECT n FROM words WHERE random() < 0.5) w ON d.n = w.n", "random()", volatile),
        ("SELECT id, now() FROM docs", "now()", still),
        ("SELECT id, current_timestamp FROM docs", "now()", still),
        ("SELECT id, current_date FROM docs", "current_date()", still),
        ("SELECT id FROM docs WHERE text = CAST(current_time AS VARCHAR)", "current_time()", still),
        ("SELECT id, (SELECT max(now()) FROM words) FROM docs", "now()", still),
    ])
    .await;
}

#[tokio::test]
async fn queries_that_are_about_something_else() {
    refused(
        "SELECT n FROM words",
        "expected a query that reads `docs`, found one that does not",
    )
    .await;
    refused(
        "SELECT 1",
        "expected a query that reads `docs`, found one that does not",
    )
    .await;
    refused(
        "SELECT id, (SELECT n FROM complete) FROM docs",
        "the subquery `n`: expected at most one row, found 2",
    )
    .await;
}
