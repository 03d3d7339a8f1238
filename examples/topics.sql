-- The topics of the demo as tables: run by `make demo`, which puts the address of its broker in place of {brokers}.
CREATE EXTERNAL TABLE readmes (crate VARCHAR NOT NULL, version VARCHAR, text VARCHAR, _key VARCHAR)
STORED AS KAFKA LOCATION 'kafka://{brokers}/readmes'
OPTIONS ('format' 'json', 'group.id' 'demo', 'errors.deadletterqueue.topic.name' 'readmes.dead');
CREATE EXTERNAL TABLE labelled (crate VARCHAR, topic VARCHAR, words BIGINT, tokens VARCHAR[])
STORED AS KAFKA LOCATION 'kafka://{brokers}/labelled' OPTIONS ('format' 'json');
CREATE EXTERNAL TABLE embedded (crate VARCHAR, vector FLOAT[])
STORED AS KAFKA LOCATION 'kafka://{brokers}/embedded' OPTIONS ('format' 'json');
-- The same messages as they are, whatever is in them, and those that failed.
CREATE EXTERNAL TABLE readmes_raw (message VARCHAR)
STORED AS KAFKA LOCATION 'kafka://{brokers}/readmes' OPTIONS ('format' 'raw');
CREATE EXTERNAL TABLE readmes_dead (message VARCHAR, _headers STRUCT<key VARCHAR, value BYTEA>[])
STORED AS KAFKA LOCATION 'kafka://{brokers}/readmes.dead' OPTIONS ('format' 'raw');
