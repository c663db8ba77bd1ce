# Runs an exported image classifier with numpy alone, as somebody without Thaw would: graph.json says what is computed,
# model.safetensors holds the tensors by name, preprocessing.json says how bytes become numbers.
#
# exported_model.py OUT PIXELS: PIXELS holds rgb bytes [n, height, width, 3]. Writes JSON: probabilities by picture, and
# shape and sha256 of each tensor's bytes.

import hashlib
import json
import pathlib
import sys

import numpy as np
from safetensors.numpy import load_file


def prepared(pixels, rules):
    values = pixels.reshape(-1, rules["height"], rules["width"], 3).astype(np.float64)
    if rules["channelOrder"] == "bgr":
        values = values[..., ::-1]
    return (values * rules["scale"] - np.array(rules["mean"])) / np.array(rules["std"])


def pair(value):
    return value if isinstance(value, list) else [value, value]


def padded(x, window, strides, padding):
    """TensorFlow's rule: what does not divide evenly goes to the bottom and the right."""
    if padding != "same":
        return x
    sides = []
    for size, extent, stride in zip(x.shape[1:3], window, strides):
        total = max((-(-size // stride) - 1) * stride + extent - size, 0)
        sides.append((total // 2, total - total // 2))
    return np.pad(x, [(0, 0), *sides, (0, 0)])


def conv2d(x, layer, value):
    kernel = value("kernel").astype(np.float64)
    strides = pair(layer["config"].get("strides", [1, 1]))
    x = padded(x, kernel.shape[:2], strides, layer["config"].get("padding", "valid"))
    height, width = layer["outputShape"][:2]
    result = np.zeros((x.shape[0], height, width, kernel.shape[3]))
    for row in range(kernel.shape[0]):
        for column in range(kernel.shape[1]):
            rows = slice(row, row + (height - 1) * strides[0] + 1, strides[0])
            columns = slice(column, column + (width - 1) * strides[1] + 1, strides[1])
            result += x[:, rows, columns, :] @ kernel[row, column]
    return result


def batch_normalization(x, layer, value):
    config = layer["config"]
    x = (x - value("moving_mean")) / np.sqrt(value("moving_variance").astype(np.float64) + config.get("epsilon", 1e-3))
    if config.get("scale", True):
        x = x * value("gamma")
    return x + value("beta") if config.get("center", True) else x


def activated(x, name):
    if name in (None, "linear"):
        return x
    if name == "relu":
        return np.maximum(x, 0)
    if name == "softmax":
        powers = np.exp(x - x.max(axis=-1, keepdims=True))
        return powers / powers.sum(axis=-1, keepdims=True)
    raise NotImplementedError(name)


def with_bias(x, layer, value):
    x = x + value("bias") if layer["config"].get("use_bias", True) else x
    return activated(x, layer["config"].get("activation"))


KINDS = {
    "Conv2D": lambda x, layer, value: with_bias(conv2d(x, layer, value), layer, value),
    "BatchNormalization": batch_normalization,
    "ReLU": lambda x, layer, value: np.maximum(x, 0),
    "GlobalAveragePooling2D": lambda x, layer, value: x.mean(axis=(1, 2)),
    "Dense": lambda x, layer, value: with_bias(x @ value("kernel").astype(np.float64), layer, value),
    "Dropout": lambda x, layer, value: x,
}


def run(graph, tensors, x):
    outputs = {graph["input"]: x}
    for layer in graph["layers"]:
        if layer["path"] in outputs:
            continue
        (source,) = layer["inputs"]
        value = lambda name, path=layer["path"]: tensors[f"{path}/{name}"]
        outputs[layer["path"]] = KINDS[layer["kind"]](outputs[source], layer, value)
    return outputs[graph["output"]]


out, pixels = pathlib.Path(sys.argv[1]), np.fromfile(sys.argv[2], dtype=np.uint8)
graph = json.loads((out / "model" / "graph.json").read_text())
tensors = load_file(out / "model" / "model.safetensors")
x = prepared(pixels, json.loads((out / "preprocessing.json").read_text()))
print(
    json.dumps(
        {
            "probabilities": run(graph, tensors, x).tolist(),
            "tensors": {
                name: {"shape": list(tensor.shape), "sha256": hashlib.sha256(tensor.tobytes()).hexdigest()}
                for name, tensor in tensors.items()
            },
        }
    )
)
