//! Each form of join, in both orders: the rows of DataFusion, or a refusal.

use super::refusals::refused;
use super::same_rows::check;

#[tokio::test]
async fn inner_and_cross_joins_in_both_orders() {
    check(&[
        "SELECT d.id, w.word FROM docs d JOIN words w ON d.n = w.n",
        "SELECT d.id, w.word FROM words w JOIN docs d ON d.n = w.n",
        "SELECT d.id, w.word FROM docs d JOIN words w ON d.n = w.n AND length(w.word) + d.id > 7",
        "SELECT d.id, w.* FROM docs d JOIN words w USING (n)",
        "SELECT d.id, w.word FROM docs d, words w WHERE d.n = w.n AND d.text <> 'x'",
        "SELECT d.id, w.word, c.word FROM words w, complete c, docs d WHERE d.n = w.n AND d.n = c.n",
        "SELECT d.id, w.word, c.word FROM words w, complete c, docs d WHERE w.n = c.n AND d.n = c.n",
        "SELECT d.id, w.word FROM docs d CROSS JOIN words w",
        "SELECT d.id, w.word FROM words w CROSS JOIN docs d",
        "SELECT d.id, w.word FROM docs d JOIN nothing w ON d.n = w.n",
        "SELECT d.id, w.word FROM docs d JOIN words w ON d.n < w.n",
        "SELECT d.id, w.word FROM words w JOIN docs d ON d.n < w.n",
        "SELECT d.id, w.word FROM docs d JOIN words w ON d.n IS NOT DISTINCT FROM w.n",
    ])
    .await;
}

#[tokio::test]
async fn outer_joins_that_keep_the_source() {
    check(&[
        "SELECT d.id, w.word FROM docs d LEFT JOIN words w ON d.n = w.n",
        "SELECT d.id, w.word FROM words w RIGHT JOIN docs d ON d.n = w.n",
        "SELECT d.id, w.word FROM docs d LEFT JOIN words w ON d.n = w.n AND d.id > 3",
        "SELECT d.id, w.word FROM docs d LEFT JOIN words w ON d.n < w.n",
        "SELECT d.id, w.word FROM words w RIGHT JOIN docs d ON d.n < w.n",
        "SELECT d.id, w.word FROM docs d LEFT JOIN nothing w ON d.n = w.n",
        "SELECT d.id, w.word FROM docs d LEFT JOIN words w ON d.n = w.n WHERE w.word IS NULL",
        "SELECT d.id, w.word, c.word FROM docs d LEFT JOIN (words w JOIN complete c ON w.n = c.n) ON d.n = w.n",
    ])
    .await;
}

#[tokio::test]
async fn outer_joins_that_keep_the_other_table() {
    let refusal = |name: &str| {
        format!(
            "{name} does not work row by row: it keeps rows of the table that `docs` is joined with, which could be told only after the last row of `docs`; keep the rows of `docs`, or join with JOIN"
        )
    };
    for (sql, name) in [
        (
            "SELECT d.id, w.word FROM docs d RIGHT JOIN words w ON d.n = w.n",
            "RIGHT JOIN",
        ),
        (
            "SELECT d.id, w.word FROM words w LEFT JOIN docs d ON d.n = w.n",
            "LEFT JOIN",
        ),
        (
            "SELECT d.id, w.word FROM docs d FULL JOIN words w ON d.n = w.n",
            "FULL JOIN",
        ),
        (
            "SELECT d.id, w.word FROM words w FULL JOIN docs d ON d.n = w.n",
            "FULL JOIN",
        ),
        (
            "SELECT w.word FROM words w LEFT SEMI JOIN docs d ON d.n = w.n",
            "LEFT SEMI JOIN",
        ),
        (
            "SELECT w.word FROM docs d RIGHT ANTI JOIN words w ON d.n = w.n",
            "RIGHT ANTI JOIN",
        ),
    ] {
        refused(sql, &refusal(name)).await;
    }
}

#[tokio::test]
async fn rows_that_are_looked_up() {
    check(&[
        "SELECT id FROM docs WHERE n IN (SELECT n FROM words)",
        "SELECT id FROM docs WHERE n NOT IN (SELECT n FROM words)",
        "SELECT id FROM docs WHERE n NOT IN (SELECT n FROM complete)",
        "SELECT id FROM docs WHERE n NOT IN (SELECT n FROM nothing)",
        "SELECT id FROM docs WHERE n NOT IN (SELECT n FROM words WHERE n IS NOT NULL) AND text = 'x'",
        "SELECT id FROM docs d WHERE EXISTS (SELECT 1 FROM words w WHERE w.n = d.n)",
        "SELECT id FROM docs d WHERE NOT EXISTS (SELECT 1 FROM words w WHERE w.n = d.n)",
        "SELECT id FROM docs d WHERE EXISTS (SELECT 1 FROM words w WHERE w.n > d.n)",
        "SELECT id FROM docs d WHERE NOT EXISTS (SELECT 1 FROM words w WHERE w.n > d.n)",
        "SELECT id FROM docs WHERE EXISTS (SELECT 1 FROM words)",
        "SELECT id FROM docs WHERE EXISTS (SELECT 1 FROM nothing)",
        "SELECT id FROM docs WHERE n IN (SELECT n FROM words) OR id > 5",
        "SELECT id FROM docs d LEFT SEMI JOIN words w ON d.n = w.n",
        "SELECT id FROM words w RIGHT SEMI JOIN docs d ON d.n = w.n",
        "SELECT id FROM docs d LEFT ANTI JOIN words w ON d.n = w.n",
        "SELECT id FROM words w RIGHT ANTI JOIN docs d ON d.n = w.n",
    ])
    .await;
}

#[tokio::test]
async fn subqueries_over_static_tables() {
    check(&[
        "SELECT id, (SELECT max(n) FROM words) FROM docs",
        "SELECT id FROM docs WHERE n > (SELECT avg(n) FROM words)",
        "SELECT id, (SELECT n FROM nothing) AS none FROM docs",
        "SELECT id FROM docs WHERE n = (SELECT max(n) FROM words WHERE n < (SELECT max(n) FROM words))",
        "SELECT id, (SELECT max(w.word) FROM words w WHERE w.n = d.n) FROM docs d",
        "SELECT id, (SELECT count(*) FROM words w WHERE w.n = d.n) FROM docs d",
        "SELECT id FROM docs d WHERE n > (SELECT min(w.n) FROM words w WHERE w.n = d.n + 1)",
        "SELECT id FROM docs d WHERE n IN (SELECT w.n FROM words w WHERE length(w.word) > d.id)",
        "SELECT d.id, w.most FROM docs d JOIN (SELECT n, max(word) AS most FROM words GROUP BY n) w ON d.n = w.n",
        "SELECT d.id, w.n FROM docs d JOIN (SELECT n FROM words ORDER BY n LIMIT 2) w ON d.n = w.n",
        "SELECT d.id, w.place FROM docs d JOIN (SELECT n, row_number() OVER (ORDER BY word) AS place FROM words) w ON d.n = w.n",
        "SELECT d.id, v.name FROM docs d JOIN (VALUES (1, 'one'), (2, 'two')) AS v (n, name) ON d.n = v.n",
        "SELECT d.id, w.value FROM docs d JOIN generate_series(1, 3) w ON d.n = w.value",
        "WITH RECURSIVE steps AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM steps WHERE n < 5) SELECT id FROM docs WHERE n IN (SELECT n FROM steps)",
    ])
    .await;
}
