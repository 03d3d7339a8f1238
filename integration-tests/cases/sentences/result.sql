id VARCHAR, sentence VARCHAR
