-- A job over the corpus: what each document is about, and its sentences, ten documents a unit.
SET lexstream.batch.unit_rows = 10;
CREATE EXTERNAL TABLE corpus STORED AS PARQUET LOCATION 'corpus.parquet';
CREATE EXTERNAL TABLE labelled (crate VARCHAR, topic VARCHAR, words BIGINT) STORED AS PARQUET LOCATION 'labelled/';
CREATE EXTERNAL TABLE sentences (crate VARCHAR, sentence VARCHAR) STORED AS PARQUET LOCATION 'sentences/';
INSERT INTO labelled SELECT crate, classify('topics', text)['label'], token_count(text) FROM corpus;
INSERT INTO sentences SELECT crate, unnest(sentences(text)) FROM corpus;
