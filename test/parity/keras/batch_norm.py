"""Runs the small normalised network of batch-norm.test.ts in Keras: one forward and backward pass a case.

Usage: batch_norm.py REQUEST.json ANSWER.json. The request: {weights: {LAYER/WEIGHT: {shape, data}}, pixels (of
[pictures, 6, 6, 3]), labels, cases: [{name, trainable, training, momentum}]}. `trainable` are names of layers, every other
one is frozen; `momentum` null keeps the layers' own. The answer, by name of the case: {loss (a sum), gradients, after},
the latter two by LAYER/WEIGHT; `after` are the moving statistics as the pass leaves them.
"""

import json
import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = ""

import keras
import numpy as np
import tensorflow as tf


def network(momentum):
    def normalization(name, own, **options):
        return keras.layers.BatchNormalization(
            momentum=own if momentum is None else momentum, epsilon=1e-3, name=name, **options
        )

    pictures = keras.Input((6, 6, 3))
    x = keras.layers.Conv2D(5, 3, padding="same", use_bias=False, name="conv1")(pictures)
    x = normalization("bn1", 0.99)(x)
    x = keras.layers.ReLU(name="relu1")(x)
    x = keras.layers.Conv2D(4, 3, strides=2, padding="valid", use_bias=False, name="conv2")(x)
    x = normalization("bn2", 0.9, scale=False)(x)
    x = keras.layers.ReLU(name="relu2")(x)
    x = keras.layers.GlobalAveragePooling2D(name="pool")(x)
    x = normalization("bn3", 0.8)(x)
    return keras.Model(pictures, keras.layers.Dense(3, name="output")(x))


def run(case, weights, pictures, labels):
    model = network(case["momentum"])
    for layer in model.layers:
        layer.trainable = layer.name in case["trainable"]
        for weight in layer.weights:
            value = weights[f"{layer.name}/{weight.name}"]
            weight.assign(np.float32(value["data"]).reshape(value["shape"]))
    with tf.GradientTape() as tape:
        logits = model(pictures, training=case["training"])
        loss = tf.reduce_sum(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits))
    variables = [(layer, weight) for layer in model.layers for weight in layer.trainable_weights]
    gradients = tape.gradient(loss, [weight.value for _, weight in variables])
    named = {f"{layer.name}/{weight.name}": gradient for (layer, weight), gradient in zip(variables, gradients)}
    moving = [(layer, weight) for layer in model.layers for weight in layer.weights if weight.name.startswith("moving")]
    after = {f"{layer.name}/{weight.name}": weight for layer, weight in moving}
    return {"loss": float(loss), "gradients": flat(named), "after": flat(after)}


def flat(values):
    return {name: np.ravel(keras.ops.convert_to_numpy(value)).tolist() for name, value in values.items()}


def main(request, answer):
    asked = json.load(open(request))
    pictures = np.float32(asked["pixels"]).reshape(-1, 6, 6, 3)
    labels = np.int32(asked["labels"])
    found = {case["name"]: run(case, asked["weights"], pictures, labels) for case in asked["cases"]}
    json.dump(found, open(answer, "w"))


main(*sys.argv[1:])
