//! What is said of the tables that are held in memory.

use datafusion::prelude::SessionContext;

use super::{docs, register, rowwise, words};
use crate::StaticTable;

async fn held(numbers: &[Option<i64>], sql: &str) -> Vec<StaticTable> {
    let context = SessionContext::new();
    register(&context, "docs", docs());
    register(&context, "words", words(numbers));
    let planned = rowwise(&context, &[sql]).await.expect("row by row");
    planned.statics().to_vec()
}

#[tokio::test]
async fn rows_are_read_once_and_told_apart_by_their_digest() {
    let sql =
        "SELECT d.id FROM docs d JOIN words w ON d.n = w.n WHERE d.n IN (SELECT n FROM words)";
    let numbers = [Some(1), Some(2), None];
    let tables = held(&numbers, sql).await;
    assert_eq!(tables, held(&numbers, sql).await);
    assert!(
        tables
            .iter()
            .all(|table| table.tables == ["words"] && table.bytes > 0),
        "{tables:?}"
    );
    for others in [[Some(1), Some(3), None], [Some(2), Some(1), None]] {
        let others = held(&others, sql).await;
        assert_eq!(tables.len(), others.len());
        assert!(
            tables
                .iter()
                .zip(&others)
                .all(|(one, other)| one.digest != other.digest)
        );
    }
}

#[tokio::test]
async fn only_what_is_needed_is_held() {
    let join = "SELECT d.id FROM docs d, words a, words b WHERE d.n = a.n AND d.id = b.n AND a.word <> 'word 0'";
    let numbers: Vec<_> = (0..50).map(Some).collect();
    let tables = held(&numbers, join).await;
    // Not the 2,500 pairs, and not the row that the condition leaves out.
    let rows: Vec<_> = tables.iter().map(|table| table.rows).collect();
    assert_eq!(rows, [49, 50], "{tables:?}");
    let value = held(
        &numbers,
        "SELECT id FROM docs WHERE n < (SELECT max(n) FROM words)",
    )
    .await;
    assert_eq!(
        (value.len(), value[0].rows, value[0].tables.as_slice()),
        (1, 1, &["words".to_owned()][..])
    );
    assert_eq!(held(&numbers, "SELECT id FROM docs").await, []);
}
