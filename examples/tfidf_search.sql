-- Which documents answer a question by its words? TF-IDF by the cosine, and BM25 beside it.
CREATE OR REPLACE MODEL words WITH ('kind' = 'tfidf', 'stop_words' = 'en', 'sublinear_tf' = 'true', 'min_df' = '2')
    AS SELECT text FROM 'corpus.parquet';

SELECT
    crate,
    round(cosine_similarity(tfidf('words', text), tfidf('words', 'parse command line arguments')), 3) AS cosine,
    round(bm25('words', 'parse command line arguments', text), 1) AS bm25
FROM 'corpus.parquet'
ORDER BY cosine DESC, crate
LIMIT 5;
