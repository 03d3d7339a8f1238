-- Which words of at least five letters are the most frequent, and how many documents have them?
WITH words AS (
    SELECT crate, unnest(tokenize(text, 'sklearn')) AS word
    FROM 'corpus.parquet'
)
SELECT word, count(*) AS occurrences, count(DISTINCT crate) AS documents
FROM words
WHERE character_length(word) >= 5
GROUP BY word
ORDER BY occurrences DESC, word
LIMIT 8;
