-- Which crate parses command lines? The beginnings of the README files that mean nearly the same as the question.
SELECT
    crate,
    round(cosine_similarity(vector, embed('minilm', 'Which crate parses command lines?')), 3) AS score
FROM 'vectors.parquet'
ORDER BY score DESC, crate
LIMIT 5;
