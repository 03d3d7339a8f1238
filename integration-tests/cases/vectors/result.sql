id BIGINT, cosine DOUBLE, distance DOUBLE
