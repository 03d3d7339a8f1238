-- Texts as numbers: counted, weighed by how rare a word is, compared and searched.
CREATE OR REPLACE VIEW notes AS SELECT * FROM (VALUES
    (1, 'The tide gauge is read twice a day.'),
    (2, 'The bakery opens twice a week.'),
    (3, 'A storm surge broke the tide gauge.'),
    (4, 'The baker bakes bread before the day breaks.')
) AS t(id, text);

CREATE OR REPLACE MODEL notes_tfidf WITH ('kind' = 'tfidf', 'stop_words' = 'english') AS SELECT text FROM notes;

-- The vocabulary, and what weighs most in each text.
SELECT term, document_frequency, round(idf, 3) AS idf FROM vocabulary('notes_tfidf') ORDER BY idf, term LIMIT 4;

SELECT id, tfidf_terms('notes_tfidf', text, 2) AS heaviest FROM notes ORDER BY id;

SELECT id, count_vector('notes_tfidf', text) AS counts FROM notes ORDER BY id;

-- Search: the cosine of TF-IDF vectors, and BM25. Texts without a word of the query are left out.
SELECT
    id,
    round(cosine_similarity(tfidf('notes_tfidf', text), tfidf('notes_tfidf', 'tide and storm')), 3) AS cosine,
    round(bm25('notes_tfidf', 'tide and storm', text), 3) AS bm25
FROM notes
WHERE bm25('notes_tfidf', 'tide and storm', text) > 0
ORDER BY cosine DESC;

-- Without a model: counts of a text, of a group, of a corpus; vectors by hashing; weights over a window.
SELECT bag_of_words(tokenize('to be, or not to be')) AS bag, hash_vector(tokenize('to be, or not to be'), 8) AS hashed;

SELECT
    array_slice(term_frequencies(tokenize(lower(text))), 1, 2) AS frequent,
    array_slice(document_frequencies(tokenize(lower(text))), 1, 2) AS in_most_texts
FROM notes;

SELECT id, array_slice(corpus_tfidf(tokenize(lower(text), 'sklearn')) OVER (), 1, 1) AS heaviest FROM notes ORDER BY id;

-- Dense vectors.
SELECT dot_product([1, 2], [3, 4]) AS dot, round(euclidean_distance([1, 2], [3, 4]), 3) AS distance;

DROP MODEL notes_tfidf;
