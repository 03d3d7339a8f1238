-- A stream: each message is tokenised, classified and embedded once; what fails goes to a topic of its own.
INSERT INTO labelled SELECT crate, classify('topics', text)['label'], token_count(text), tokenize(text) FROM readmes;
INSERT INTO embedded SELECT crate, embed('minilm', text) FROM readmes;
