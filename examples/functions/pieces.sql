-- Parts of a text: its sentences, pieces that fit a model, what it is about, and what stands together in it.
CREATE OR REPLACE VIEW note AS SELECT
    'The tide gauge at the old harbour is read twice a day. Its readings go back ninety years. '
    || 'Storm surges show up as sudden steps. '
    || 'A storm surge in the ninth year broke the tide gauge, and the old harbour was shut for a week. '
    || 'Since then the readings are sent by radio, and nobody climbs down the wall in the dark.' AS text;

SELECT unnest(sentences(text)) AS sentence FROM note;

-- Pieces of at most 120 characters, with where they lie; {unit: 'minilm'} would count that model's tokens.
SELECT piece['start'] AS from_character, piece['end'] AS to_character, piece['text'] AS piece
FROM (SELECT unnest(chunk(text, 120, {overlap: 20})) AS piece FROM note);

-- Keywords by two methods, and a summary of two sentences.
SELECT 'rake' AS method, keyword['term'] AS term, round(keyword['score'], 2) AS score
FROM (SELECT unnest(keywords(text, 3)) AS keyword FROM note)
UNION ALL
SELECT 'yake', keyword['term'], round(keyword['score'], 4)
FROM (SELECT unnest(keywords(text, 3, {method: 'yake'})) AS keyword FROM note);

SELECT unnest(key_sentences(text, 2)) AS summary FROM note;

-- Words that stand together more often than chance has it; runs of words and of characters.
SELECT pair['bigram'] AS bigram, pair['count'] AS count, round(pair['pmi'], 2) AS pmi
FROM (SELECT unnest(collocations(tokenize(lower(text)))) AS pair FROM note)
WHERE pair['count'] > 1;

SELECT ngrams(tokenize('read twice a day'), 2, 3) AS words, char_ngrams('tide', 3) AS characters;
