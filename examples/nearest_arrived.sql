-- Which of the messages that have arrived are nearest to a question, and how do they begin?
SELECT
    crate,
    topic,
    words,
    array_to_string(array_slice(tokens, 1, 4), ' ') AS begins,
    round(cosine_similarity(vector, embed('minilm', 'Which crate parses command lines?')), 3) AS score
FROM labelled JOIN embedded USING (crate)
ORDER BY score DESC, crate
LIMIT 5;
