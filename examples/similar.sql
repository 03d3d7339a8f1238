-- Which documents of different families are the most alike, by the words they share (Jaccard)?
WITH words AS (
    SELECT crate, unnest(array_distinct(tokenize(text, 'sklearn'))) AS word
    FROM 'corpus.parquet'
    WHERE bytes > 1000
),
sizes AS (
    SELECT crate, count(*) AS words FROM words GROUP BY crate
),
rare AS (
    SELECT crate, word FROM words
    WHERE word IN (SELECT word FROM words GROUP BY word HAVING count(*) BETWEEN 2 AND 20)
),
pairs AS (
    SELECT a.crate AS crate, b.crate AS other, count(*) AS shared
    FROM rare AS a JOIN rare AS b ON a.word = b.word AND a.crate < b.crate
    WHERE regexp_replace(a.crate, '[-_].*$', '') <> regexp_replace(b.crate, '[-_].*$', '')
    GROUP BY a.crate, b.crate
)
SELECT
    pairs.crate,
    other,
    shared AS rare_words_shared,
    round(shared / CAST(a.words + b.words - shared AS DOUBLE), 3) AS jaccard
FROM pairs
JOIN sizes AS a ON a.crate = pairs.crate
JOIN sizes AS b ON b.crate = other
ORDER BY jaccard DESC, pairs.crate, other
LIMIT 5;
