-- Which languages are the documents in, and which words of each are frequent but for its stop words?
SELECT
    language,
    count(*) AS documents,
    array_slice(term_frequencies(remove_stop_words(tokenize(lower(text)), language)), 1, 3) AS frequent
FROM (SELECT detect_language(text) AS language, text FROM 'corpus.parquet')
WHERE language = 'en'
GROUP BY language;
