-- The corpus as messages of a topic, without badges, addresses and tags; and three that are broken on purpose.
INSERT INTO readmes
SELECT
    crate,
    version,
    left(regexp_replace(
        text, '<!--.*?-->|!\[[^\]]*\](\([^)]*\)|\[[^\]]*\])?|\]\([^)]*\)|https?://\S+|<[^>]*>|[\[\]#`]+|\s+', ' ', 'gs'
    ), 400),
    crate AS key
FROM 'corpus.parquet'
LIMIT 1000;
INSERT INTO readmes_raw VALUES
    ('{"crate": "cut", "text": "the end is mis'),
    ('{"crate": ["two", "names"], "text": "a list where text is expected"}'),
    ('{"text": "of a crate without a name"}');
