-- What are the longest documents about, in terms of theirs?
SELECT crate, keyword['term'] AS term, round(keyword['score'], 1) AS score
FROM (
    SELECT crate, unnest(keywords(strip_html(text), 2)) AS keyword
    FROM (SELECT crate, text FROM 'corpus.parquet' ORDER BY bytes DESC, crate LIMIT 3)
)
ORDER BY crate, score DESC, term;
