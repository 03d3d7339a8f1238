-- Which documents are nearly the same? Signatures that share a band are compared, and no other pair.
WITH signatures AS (
    SELECT crate, minhash(ngrams(tokenize(lower(text)), 3), 128) AS signature
    FROM 'corpus.parquet'
    WHERE bytes > 500
),
bands AS (
    SELECT crate, signature, unnest(minhash_bands(signature, 32)) AS band FROM signatures
),
pairs AS (
    SELECT DISTINCT ON (a.crate, b.crate)
        a.crate AS crate,
        b.crate AS other,
        minhash_similarity(a.signature, b.signature) AS jaccard
    FROM bands AS a
    JOIN bands AS b ON a.band = b.band AND a.crate < b.crate
    ORDER BY a.crate, b.crate
)
SELECT crate, other, round(jaccard, 2) AS jaccard
FROM pairs
WHERE jaccard < 1 AND regexp_replace(crate, '[-_].*$', '') <> regexp_replace(other, '[-_].*$', '')
ORDER BY jaccard DESC, crate, other
LIMIT 5;
