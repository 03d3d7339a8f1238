-- What are the three most frequent words of each of the longest documents? One aggregate a group.
SELECT crate, array_slice(term_frequencies(tokenize(text, 'sklearn')), 1, 3) AS most_frequent
FROM 'corpus.parquet'
GROUP BY crate
ORDER BY max(bytes) DESC
LIMIT 4;
