id BIGINT, tokens VARCHAR[], characters BIGINT
