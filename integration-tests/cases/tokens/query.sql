SELECT id, tokenize(text, 'sklearn') AS tokens, token_count(text, 'char') AS characters FROM input
