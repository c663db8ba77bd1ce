"""Prints what Keras makes of the losses and of the moving average of weights, as JSON: Thaw's golden numbers.

Usage: losses.py > test/parity/keras/losses.golden.json, or UPDATE_GOLDEN=1 on the tests that read it. Logits are drawn
with very sure rows among them, targets are one-hot and mixed ones.
"""

import json
import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = ""

import keras
import numpy as np
import tensorflow as tf

SAMPLES, CLASSES = 6, 4


def losses():
    """By the fields that the job file has."""
    k = keras.losses
    softmax = keras.ops.softmax
    # Those that take probabilities get them, as from a network with a softmax at its end.
    return [
        ({"kind": "crossEntropy", "labelSmoothing": s}, k.CategoricalCrossentropy(True, s, reduction=None), None)
        for s in (0.0, 0.1)
    ] + [
        ({"kind": "binaryCrossEntropy", "labelSmoothing": s}, k.BinaryCrossentropy(True, s, reduction=None), None)
        for s in (0.0, 0.2)
    ] + [
        (
            {"kind": "focal", "gamma": g, "alpha": a, "labelSmoothing": s},
            k.CategoricalFocalCrossentropy(a, g, True, s, reduction=None),
            None,
        )
        for g, a, s in ((2.0, 0.25, 0.0), (0.5, 1.0, 0.1), (0.0, 0.5, 0.0))
    ] + [
        ({"kind": "mse"}, k.MeanSquaredError(reduction=None), softmax),
        ({"kind": "mae"}, k.MeanAbsoluteError(reduction=None), softmax),
    ] + [({"kind": "huber", "delta": d}, k.Huber(d, reduction=None), softmax) for d in (1.0, 0.3)]


def drawn(rng):
    logits = rng.normal(size=(SAMPLES, CLASSES)).astype("float32") * 2
    logits[1] *= 2
    logits[2] *= 2
    one_hot = np.eye(CLASSES, dtype="float32")[rng.integers(0, CLASSES, SAMPLES)]
    other = np.eye(CLASSES, dtype="float32")[rng.integers(0, CLASSES, SAMPLES)]
    share = np.array([1, 1, 1, 1, 0.75, 0.375], "float32")[:, None]
    return logits, share * one_hot + (1 - share) * other


def loss_cases(rng):
    logits, targets = drawn(rng)
    cases = []
    for fields, loss, activation in losses():
        x = tf.constant(logits)
        with tf.GradientTape() as tape:
            tape.watch(x)
            values = loss(tf.constant(targets), activation(x) if activation else x)
        gradient = tape.gradient(values, x)
        cases.append({"loss": fields, "values": flat(values), "gradient": flat(gradient)})
    return {"classes": CLASSES, "logits": flat(logits), "targets": flat(targets), "cases": cases}


def average_case(rng):
    """A variable under plain gradient descent, and its average after each update."""
    variable = keras.Variable(rng.normal(size=5).astype("float32"))
    gradients = rng.normal(size=(4, 5)).astype("float32")
    optimizer = keras.optimizers.SGD(0.5, use_ema=True, ema_momentum=0.75)
    optimizer.build([variable])
    start, values, averages = flat(variable), [], []
    for gradient in gradients:
        optimizer.apply([tf.constant(gradient)])
        values.append(flat(variable))
        averages.append(flat(optimizer._model_variables_moving_average[0]))
    found = {"start": start, "gradients": [flat(g) for g in gradients], "values": values, "averages": averages}
    return {"learningRate": 0.5, "decay": 0.75, **found}


def flat(values):
    return [float(f"{value:.9g}") for value in np.asarray(values).ravel()]


rng = np.random.default_rng(11)
print(json.dumps({"losses": loss_cases(rng), "average": average_case(rng)}))
