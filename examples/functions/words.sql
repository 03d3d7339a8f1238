-- The words of texts: cut, counted, tagged, reduced to their stems, and the languages they are in.
WITH texts AS (
    SELECT * FROM (VALUES
        (1, 'The ferries weren’t running, so we walked the 3.5 km along the harbour wall.'),
        (2, 'Die Fähren fuhren nicht, also gingen wir zu Fuß an der Hafenmauer entlang.'),
        (3, '渡轮停运了，我们只好沿着港口的堤岸走回去。'),
        (4, NULL)
    ) AS t(id, text)
)
SELECT
    id,
    detect_language(text) AS language,
    token_count(text) AS words,
    array_slice(stem(remove_stop_words(tokenize(lower(text)), 'en'), 'en'), 1, 5) AS stems,
    array_slice(tokenize(text, 'jieba'), 1, 5) AS jieba,
    strip_accents(left(text, 12)) AS without_accents
FROM texts
ORDER BY id;

-- Markup, white space and compatibility forms go before a text is cut.
SELECT normalize_whitespace(normalize_text(strip_html('<p>Caf&eacute;&nbsp;&#xFF11;<br>ﬁve&hellip;</p>'))) AS plain;

-- How sure a language is, and the words that say least in it.
SELECT detect_language_score('Die Fähren fuhren nicht.') AS language, array_slice(stop_words('de'), 1, 4) AS stop_words;

-- Chinese words and their parts of speech.
SELECT word['token'] AS token, word['tag'] AS tag
FROM (SELECT unnest(pos_tag('渡轮停运了，我们只好走回去。')) AS word);
