SELECT id, cosine_similarity(vector, [1.0, 1.0]) AS cosine, euclidean_distance(vector, [1.0, 1.0]) AS distance FROM input
