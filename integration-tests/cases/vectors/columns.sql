id BIGINT, vector DOUBLE[]
