"""Seconds of every epoch of Keras' own `fit` on the guides' listing, reading JPEG files the usual way.

Usage: epochs.py OPTIONS.json; prints {seconds, accuracy, version} as JSON on the last line.
"""

import json
import os
import sys
import time

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = ""

import keras
import tensorflow as tf
from safetensors.numpy import load_file


class EpochSeconds(keras.callbacks.Callback):
    """`fit` ends an epoch after its validation."""

    def __init__(self):
        super().__init__()
        self.seconds = []

    def on_epoch_begin(self, epoch, logs=None):
        self.start = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        self.seconds.append(time.perf_counter() - self.start)


def main(options):
    base = keras.applications.VGG16(weights=None, include_top=False, input_shape=(options["size"],) * 2 + (3,))
    stored = load_file(options["weights"])
    for layer in base.layers:
        layer.set_weights([stored[f"backbone/{layer.name}/{variable.name}"] for variable in layer.weights])
    base.trainable = False
    pooling, output = keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(options["classes"], "softmax")
    model = keras.Sequential([base, pooling, output])
    model.compile(keras.optimizers.Adam(1e-3), "categorical_crossentropy", metrics=["accuracy"])
    clock = EpochSeconds()
    model.fit(
        pictures(options, "train"),
        validation_data=pictures(options, "validation"),
        epochs=options["epochs"],
        callbacks=[clock],
        verbose=0,
    )
    _, accuracy = model.evaluate(pictures(options, "test"), verbose=0)
    print(json.dumps({"seconds": clock.seconds, "accuracy": accuracy, "version": keras.__version__}))


def pictures(options, name):
    data = keras.utils.image_dataset_from_directory(
        os.path.join(options["pictures"], name),
        label_mode="categorical",
        image_size=(options["size"],) * 2,
        batch_size=options["batch"],
        shuffle=name == "train",
        seed=7,
        verbose=False,
    )
    prepared = data.map(lambda x, y: (keras.applications.vgg16.preprocess_input(x), y), num_parallel_calls=tf.data.AUTOTUNE)
    return prepared.prefetch(tf.data.AUTOTUNE)


if __name__ == "__main__":
    main(json.load(open(sys.argv[1])))
