"""Builds networks of keras.applications with random weights and writes what Thaw is compared with.

Usage: applications.py REQUEST.json FOLDER. The request is a list of {name, application, size, published, outputs}. Into
FOLDER/NAME go pixels.safetensors ("pixels"), outputs.safetensors (layer name -> values for the same pictures),
weights.safetensors (layer/weight -> values), keras.weights.h5, and layers.json.
"""

import json
import os
import struct
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = ""

import keras
import numpy as np
from keras.src.applications import efficientnet

PICTURES = 3
STATISTICS_PICTURES = 8


def main(request, folder):
    for case in json.load(open(request)):
        keras.backend.clear_session()
        keras.utils.set_random_seed(7)
        place = os.path.join(folder, case["name"])
        os.makedirs(place)
        model = build(case, place)
        rng = np.random.default_rng(7)
        pixels = pictures(rng, case)
        randomise(model, rng, case["published"])
        set_statistics(model, pixels)
        few = pixels[:PICTURES]
        views = keras.Model(model.input, [model.get_layer(name).output for name in case["outputs"]])
        outputs = dict(zip(case["outputs"], keras.tree.flatten(views(few, training=False))))
        write_safetensors(os.path.join(place, "pixels.safetensors"), {"pixels": few})
        write_safetensors(os.path.join(place, "outputs.safetensors"), outputs)
        write_safetensors(os.path.join(place, "weights.safetensors"), weights_of(model))
        model.save_weights(os.path.join(place, "keras.weights.h5"))
        json.dump(described(model), open(os.path.join(place, "layers.json"), "w"))


def build(case, place):
    make = getattr(keras.applications, case["application"])
    options = {"include_top": False, "input_shape": (case["size"], case["size"], 3)}
    if not case["published"]:
        return make(weights=None, **options)
    # The topology that Keras gives to its published weights, without downloading them.
    stand_in = os.path.join(place, "stand-in.weights.h5")
    make(weights=None, **options).save_weights(stand_in)
    keras.backend.clear_session()
    efficientnet.file_utils.get_file = lambda *_, **__: stand_in
    return make(weights="imagenet", **options)


def pictures(rng, case):
    """Coarse coloured patches and a little noise, so that pictures differ from each other."""
    size = case["size"]
    coarse = rng.normal(size=(STATISTICS_PICTURES, 5, 5, 3)) + rng.normal(size=(STATISTICS_PICTURES, 1, 1, 3))
    patch = -(-size // 5)
    image = coarse.repeat(patch, 1).repeat(patch, 2)[:, :size, :size] + 0.3 * rng.normal(
        size=(STATISTICS_PICTURES, size, size, 3)
    )
    bytes_wanted = case["application"].startswith("EfficientNet")
    return (np.clip(128 + 50 * image, 0, 255) if bytes_wanted else image).astype("float32")


def randomise(model, rng, published):
    for layer in model.layers:
        if isinstance(layer, keras.layers.Normalization):
            mean, variance = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
            if not published:
                mean, variance = rng.uniform(0.3, 0.6, 3), rng.uniform(0.05, 0.3, 3)
            layer.adapt_mean.assign(mean)
            layer.adapt_variance.assign(variance)
            layer.finalize_state()
            continue
        for weight in layer.weights:
            weight.assign(random_value(rng, weight.name, weight.shape))


def random_value(rng, name, shape):
    if name == "gamma":
        return rng.uniform(0.5, 1.5, shape)
    if name in ("beta", "bias"):
        return rng.normal(0, 0.2, shape)
    if name == "kernel":
        fan_in = np.prod(shape[:-1]) if shape[-1] != 1 else np.prod(shape[:2])
        return rng.normal(0, np.sqrt(2 / fan_in), shape)
    return np.ones(shape) if name == "moving_variance" else np.zeros(shape)


def set_statistics(model, pixels):
    """Moving statistics become those of the batch, as if training had seen nothing else."""
    normalizations = [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]
    for layer in normalizations:
        layer.momentum = 0.0
    if normalizations:
        model(pixels, training=True)


def weights_of(model):
    return {f"{layer.name}/{weight.name}": weight for layer in model.layers for weight in layer.weights}


def described(model):
    def inputs_of(layer):
        return [tensor._keras_history.operation.name for tensor in keras.tree.flatten(layer.input)]

    return {
        "parameters": model.count_params(),
        "layers": [
            {
                "name": layer.name,
                "kind": type(layer).__name__,
                "outputShape": list(layer.output.shape[1:]),
                "inputs": [] if isinstance(layer, keras.layers.InputLayer) else inputs_of(layer),
            }
            for layer in model.layers
        ],
    }


def write_safetensors(file, tensors):
    arrays = {name: np.ascontiguousarray(keras.ops.convert_to_numpy(value), "<f4") for name, value in tensors.items()}
    header, offset = {}, 0
    for name, array in arrays.items():
        end = offset + array.nbytes
        header[name] = {"dtype": "F32", "shape": list(np.shape(tensors[name])), "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(header).encode()
    with open(file, "wb") as out:
        out.write(struct.pack("<Q", len(text)) + text)
        for array in arrays.values():
            out.write(array.tobytes())


main(*sys.argv[1:])
