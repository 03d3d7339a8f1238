-- What are the README files about, by a small classifier that gives each text several labels?
SELECT topic['label'] AS topic, count(*) AS crates
FROM (SELECT unnest(classify_scores('topics', text)) AS topic FROM 'corpus.parquet')
WHERE topic['score'] > 0.5
GROUP BY topic['label']
ORDER BY crates DESC, topic;
