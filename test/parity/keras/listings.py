"""Trains a listing of the guides in Keras on what Thaw trains it on, and writes what came of it.

Usage: listings.py REQUEST.json FOLDER. The request is {classes, hidden, steps, learningRate}. FOLDER holds
start.safetensors (the weights by layer/weight, as Thaw starts) and batch.safetensors (pixels as 0..255, labels); into it
go losses.json, the loss of every step before its update, and end.safetensors, the weights that were trained.
"""

import json
import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = ""

import keras
import numpy as np
from safetensors.numpy import load_file, save_file


def main(request, folder):
    options = json.load(open(request))
    start = load_file(os.path.join(folder, "start.safetensors"))
    batch = load_file(os.path.join(folder, "batch.safetensors"))
    pixels = keras.applications.vgg16.preprocess_input(batch["pixels"].copy())
    labels = keras.utils.to_categorical(batch["labels"], options["classes"])
    model = listing(options, pixels.shape[1:])
    set_weights(model, start)
    losses = [
        float(model.train_on_batch(pixels, labels, return_dict=True)["loss"]) for _ in range(options["steps"])
    ]
    json.dump(losses, open(os.path.join(folder, "losses.json"), "w"))
    save_file(trained(model), os.path.join(folder, "end.safetensors"))


def listing(options, shape):
    base = keras.applications.VGG16(weights=None, include_top=False, input_shape=shape)
    base.trainable = False
    head = [keras.layers.GlobalAveragePooling2D()]
    if options["hidden"]:
        head.append(keras.layers.Dense(options["hidden"], activation="relu", name="dense"))
    head.append(keras.layers.Dense(options["classes"], activation="softmax", name="output"))
    model = keras.Sequential([base, *head])
    model.compile(keras.optimizers.Adam(options["learningRate"]), "categorical_crossentropy")
    return model


def set_weights(model, start):
    base = model.layers[0]
    for prefix, layers in (("backbone", base.layers), ("head", model.layers[1:])):
        for layer in layers:
            for variable in layer.weights:
                variable.assign(start.pop(f"{prefix}/{layer.name}/{variable.name}"))
    assert not start, f"weights that belong to no layer: {list(start)}"


def trained(model):
    return {f"head/{layer.name}/{w.name}": np.array(w) for layer in model.layers[1:] for w in layer.weights}


if __name__ == "__main__":
    main(*sys.argv[1:])
