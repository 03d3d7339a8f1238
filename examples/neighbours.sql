-- Which crates of different families say nearly the same of themselves? (The same text in two is no discovery.)
SELECT a.crate, b.crate AS other, round(cosine_similarity(a.vector, b.vector), 3) AS score
FROM 'vectors.parquet' AS a
JOIN 'vectors.parquet' AS b ON a.crate < b.crate
WHERE cosine_similarity(a.vector, b.vector) < 0.99
    AND regexp_replace(a.crate, '[-_].*$', '') <> regexp_replace(b.crate, '[-_].*$', '')
ORDER BY score DESC, a.crate
LIMIT 5;
