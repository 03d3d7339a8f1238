-- Is each document there once, with all of its sentences?
SELECT
    (SELECT count(*) FROM 'corpus.parquet') AS documents,
    (SELECT count(*) FROM 'labelled/') AS labelled,
    (SELECT count(DISTINCT crate) FROM 'labelled/') AS different_ones,
    (SELECT sum(array_length(sentences(text))) FROM 'corpus.parquet') AS sentences,
    (SELECT count(*) FROM 'sentences/') AS written;
