-- A vector for the beginning of each README file: run by `make demo`, which puts its models in place of {models}.
CREATE MODEL minilm COMMENT 'all-MiniLM-L6-v2' WITH ('path' = '{models}/all-MiniLM-L6-v2');
CREATE MODEL topics COMMENT 'a few words a topic' WITH ('path' = '{models}/topics');
-- Comments, badges, addresses and tags say little of what a crate is for.
COPY (
    SELECT crate, embed('minilm', left(plain, 400)) AS vector
    FROM (
        SELECT
            crate,
            regexp_replace(
                text, '<!--.*?-->|!\[[^\]]*\](\([^)]*\)|\[[^\]]*\])?|\]\([^)]*\)|https?://\S+|<[^>]*>|[\[\]#`]+|\s+', ' ', 'gs'
            ) AS plain
        FROM 'corpus.parquet'
    )
    WHERE length(plain) > 200
) TO 'vectors.parquet';
