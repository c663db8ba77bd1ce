# Loads models that Thaw exported with stock Keras and runs them.
#
# exported_keras.py FOLDER: every FOLDER/NAME.h5 and NAME.keras on the batch in NAME.input (float32). Writes JSON: by file
# name, the outputs, flattened.

import json
import os
import pathlib
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["KERAS_BACKEND"] = "tensorflow"

import keras
import numpy as np

folder = pathlib.Path(sys.argv[1])
outputs = {}
for file in sorted([*folder.glob("*.h5"), *folder.glob("*.keras")]):
    model = keras.saving.load_model(file, compile=False)
    batch = np.fromfile(file.with_suffix(".input"), dtype=np.float32).reshape(-1, *model.input_shape[1:])
    outputs[file.name] = np.asarray(model(batch, training=False)).ravel().tolist()
print(json.dumps(outputs))
