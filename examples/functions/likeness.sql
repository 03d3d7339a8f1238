-- How alike texts are: by letters, by words, and nearly the same among many without comparing every pair.
CREATE OR REPLACE VIEW addresses AS SELECT * FROM (VALUES
    (1, '12 Harbour Wall, Northport'),
    (2, '12 Harbor Wall, Northport'),
    (3, 'Northport, Harbour Wall 12'),
    (4, '7 Mill Lane, Eastham')
) AS t(id, text);

SELECT
    b.id,
    round(levenshtein_similarity(a.text, b.text), 2) AS levenshtein,
    round(jaro_winkler_similarity(a.text, b.text), 2) AS jaro_winkler,
    round(token_set_ratio(a.text, b.text), 1) AS token_set,
    round(jaccard_similarity(tokenize(a.text), tokenize(b.text)), 2) AS jaccard
FROM addresses AS a, addresses AS b
WHERE a.id = 1
ORDER BY b.id;

-- Candidates share a band of their signatures: an equi-join, then an estimate of the Jaccard similarity of their trigrams.
WITH signatures AS (
    SELECT id, minhash(char_ngrams(lower(text), 3), 128) AS signature FROM addresses
),
bands AS (
    SELECT id, signature, unnest(minhash_bands(signature, 32)) AS band FROM signatures
)
SELECT DISTINCT a.id, b.id AS other, round(minhash_similarity(a.signature, b.signature), 2) AS jaccard
FROM bands AS a
JOIN bands AS b ON a.band = b.band AND a.id < b.id
ORDER BY a.id, other;

-- One number of 64 bits a text: few bits differ where words do hardly.
SELECT hamming_distance(simhash(tokenize(a.text)), simhash(tokenize(b.text))) AS bits
FROM addresses AS a, addresses AS b
WHERE a.id = 1 AND b.id = 2;
