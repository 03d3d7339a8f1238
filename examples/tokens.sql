-- What do the tokenizers make of the same text?
WITH t AS (SELECT 'L’été: 3.14 café 漢字 🇩🇪!' AS text)
SELECT 'char' AS tokenizer, array_to_string(tokenize(text, 'char'), '|') AS tokens FROM t
UNION ALL
SELECT 'sklearn', array_to_string(tokenize(text, 'sklearn'), '|') FROM t
UNION ALL
SELECT 'whitespace', array_to_string(tokenize(text, 'whitespace'), '|') FROM t
UNION ALL
SELECT 'word', array_to_string(tokenize(text, 'word'), '|') FROM t
ORDER BY tokenizer;
