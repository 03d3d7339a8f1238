SELECT id, unnest(sentences(normalize_text(text))) AS sentence FROM input WHERE token_count(text) > 0
