# Makes Keras files for keras-files.test.ts with Keras itself: small networks with every weight at random, in every format
# that Keras writes, and their outputs on fixed pixels.
#
# keras_files.py FOLDER: writes FOLDER/NAME.* and prints JSON: by NAME, the pixels' shape and the outputs; the pixels lie in
# FOLDER/NAME.pixels, float32.

import io
import json
import os
import pathlib
import sys
import zipfile

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["KERAS_BACKEND"] = "tensorflow"

import h5py
import keras
import numpy as np
from keras import layers

IMAGES = 6
random = np.random.default_rng(7)


def every_layer():
    """Names chosen by somebody, one branch and its joins, normalisation with and without scale and centre."""
    x = inputs = keras.Input((20, 18, 3), name="picture")
    x = layers.Rescaling(1 / 127.5, offset=-1, name="rescale")(x)
    x = layers.Conv2D(6, 3, strides=2, padding="same", use_bias=False, name="stem")(x)
    x = layers.BatchNormalization(epsilon=1e-5, name="stem_bn")(x)
    x = layers.ReLU(6.0, name="stem_relu")(x)
    left = layers.DepthwiseConv2D(3, padding="same", depth_multiplier=2, name="deep")(x)
    left = layers.BatchNormalization(scale=False, name="deep_bn")(left)
    right = layers.SeparableConv2D(12, (3, 2), padding="same", activation="relu", name="apart")(x)
    right = layers.BatchNormalization(center=False, name="apart_bn")(right)
    x = layers.Add(name="sum")([left, right])
    x = layers.Concatenate(name="join")([x, right])
    x = layers.Dropout(0.4, name="drop")(x)
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    return keras.Model(inputs, layers.Dense(4, name="out")(x), name="every_layer")


def nested():
    """A backbone of which one part is frozen, and a head that is a model too: legacy files store trainables first."""
    x = inner = keras.Input((12, 12, 3))
    x = layers.Conv2D(5, 3, name="conv")(x)
    x = layers.BatchNormalization()(x)
    x = layers.ReLU()(x)
    x = layers.Conv2D(5, 3)(x)
    x = layers.BatchNormalization(scale=False)(x)
    backbone = keras.Model(inner, x, name="backbone")
    backbone.get_layer("conv").trainable = False
    x = inputs = keras.Input((12, 12, 3))
    x = backbone(x, training=False)
    x = layers.Conv2D(6, 1, activation="relu")(x)
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, keras.Sequential([layers.Dense(5, activation="relu"), layers.Dense(3)])(x))


def frozen():
    """All of the backbone is frozen, and nothing has a name of its own."""
    base = keras.Sequential(
        [keras.Input((10, 10, 3)), layers.Conv2D(4, 3, activation="relu"), layers.BatchNormalization(), layers.Flatten()]
    )
    base.trainable = False
    return keras.Sequential([keras.Input((10, 10, 3)), base, layers.Dropout(0.2), layers.Dense(3)])


def automatic():
    """Names that Keras makes; the branches are joined in another order than they are built in."""
    x = inputs = keras.Input((14, 14, 3))
    x = layers.Conv2D(4, 3, padding="same", activation="relu")(x)
    first = layers.Conv2D(4, 3, padding="same")(x)
    second = layers.Conv2D(4, 3, padding="same")(layers.Conv2D(4, 3, padding="same")(x))
    second = layers.BatchNormalization()(second)
    x = layers.Add()([second, layers.BatchNormalization()(first)])
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, layers.Dense(3)(layers.Dense(8, activation="relu")(x)))


def randomise(model):
    for weight in model.weights:
        if weight.dtype != "float32":
            continue
        spread = 1 / np.sqrt(np.prod(weight.shape[:-1])) if len(weight.shape) > 1 else 0.3
        value = random.normal(0, 1.5 * spread, weight.shape)
        if weight.name in ("gamma", "moving_variance"):
            value = random.uniform(0.5, 2, weight.shape)
        weight.assign(value)


def pictures(model):
    """Of one colour each, with noise."""
    shape = model.input_shape[1:]
    pixels = random.uniform(-1, 1, (IMAGES, 1, 1, 3)) + random.normal(0, 0.3, (IMAGES, *shape))
    return (pixels * 60 + 128 if model.name == "every_layer" else pixels).astype(np.float32)


def spread_outputs(model, pixels):
    """Each output gets a deviation of 1 over the pictures."""
    kernel = next(weight for weight in model.weights if weight.shape[1:] == model.output_shape[1:] and len(weight.shape) == 2)
    kernel.assign(kernel / model.predict(pixels, verbose=0).std(axis=0))


def published(model, file):
    """As the weights of keras.applications: layer_names and weight_names, ending in :0."""
    with h5py.File(file, "w") as f:
        f.attrs["layer_names"] = [layer.name.encode() for layer in model.layers]
        for layer in model.layers:
            group = f.create_group(layer.name)
            weights = layer.trainable_weights + layer.non_trainable_weights
            weights = [weight for weight in weights if weight.dtype == "float32"]
            names = [f"{weight.path}:0" for weight in weights]
            group.attrs["weight_names"] = [name.encode() for name in names]
            for name, weight in zip(names, weights):
                group.create_dataset(name, data=weight.numpy())


def forget_name(_, item):
    item.attrs.pop("name", None)


def without_names(source, target):
    """As early versions of Keras 3 wrote it: counters of classes only. The archive is compressed too."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.namelist():
            content = old.read(entry)
            if entry == "model.weights.h5":
                held = io.BytesIO(content)
                with h5py.File(held, "r+") as f:
                    f.visititems(forget_name)
                content = held.getvalue()
            new.writestr(entry, content)


folder = pathlib.Path(sys.argv[1])
made = {}
for name, build in {
    "every-layer": every_layer,
    "nested": nested,
    "frozen": frozen,
    "automatic": automatic,
    "automatic-again": automatic,
}.items():
    model = build()
    randomise(model)
    pixels = pictures(model)
    spread_outputs(model, pixels)
    model.save(folder / f"{name}.h5")
    model.save(folder / f"{name}.keras")
    model.save_weights(folder / f"{name}.weights.h5")
    published(model, folder / f"{name}.published.h5")
    without_names(folder / f"{name}.keras", folder / f"{name}.nameless.keras")
    pixels.tofile(folder / f"{name}.pixels")
    outputs = model.predict(pixels, verbose=0)
    names = [layer.name for layer in model.layers]
    made[name] = {"shape": pixels.shape, "outputs": outputs.tolist(), "layers": names}
print(json.dumps(made))
