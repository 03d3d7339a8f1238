-- Chinese: words, parts of speech and keywords of texts, by jieba.
WITH texts AS (
    SELECT * FROM (VALUES
        (1, '小雨下了一夜，清晨的茶园雾气弥漫，采茶人背着竹篓上山采茶。'),
        (2, '图书馆新买的服务器装好了，管理员把借书系统迁移到服务器上。')
    ) AS t(id, text)
)
SELECT
    id,
    array_to_string(array_slice(tokenize(text, 'jieba'), 1, 6), ' ') AS words,
    pos_tag(text)[1] AS first_word,
    array_to_string(array_slice(remove_stop_words(tokenize(text, 'jieba'), 'zh'), 1, 5), ' ') AS without_stop_words,
    keywords(text, 1, {language: 'zh'})[1]['term'] AS keyword
FROM texts
ORDER BY id;
