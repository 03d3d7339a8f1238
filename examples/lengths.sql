-- Which documents are the longest, and how long are their sentences?
SELECT
    crate,
    token_count(text) AS words,
    round(token_count(text) / array_length(sentences(text)), 1) AS words_a_sentence
FROM 'corpus.parquet'
ORDER BY words DESC, crate
LIMIT 5;
