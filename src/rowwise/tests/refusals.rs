//! What is refused, by name and reason.

use super::{rowwise, session};

async fn check(cases: &[(&str, &str)]) {
    let context = session();
    for (sql, expected) in cases {
        let error = rowwise(&context, &[sql]).await.expect_err(sql).to_string();
        assert_eq!(error, *expected, "{sql}");
    }
}

#[tokio::test]
async fn what_needs_more_than_one_row() {
    check(&[(
        "SELECT count(*) FROM docs",
        "count() does not work row by row: it needs all rows of `docs` at once",
    )])
    .await;
}
