-- How big is the corpus?
SELECT
    count(*) AS documents,
    sum(bytes) AS bytes,
    sum(token_count(text)) AS words,
    sum(array_length(sentences(text))) AS sentences
FROM 'corpus.parquet';
