"""Classify a record by an exported model in onnxruntime, without Keras or TensorFlow.

Usage: python examples/onnx_without_keras.py model.onnx RECORD (after `python export.py model model.onnx`).
"""

import json
import sys

import numpy as np
import onnxruntime

from cnn_gap.io.records import read_record
from cnn_gap.signal.windows import Preprocessing, prediction_windows
from cnn_gap.system.settings import from_dict

session = onnxruntime.InferenceSession(sys.argv[1])
about = {key: json.loads(text) for key, text in session.get_modelmeta().custom_metadata_map.items()}
preprocessing = from_dict(Preprocessing, about["preprocessing"])
record = read_record(sys.argv[2])
windows = prediction_windows(record.signal, record.sampling_rate, preprocessing, about["window_multiple"])
(probabilities,) = session.run(["probabilities"], {"windows": windows})
for known, probability in zip(about["classes"], np.mean(probabilities, axis=0), strict=True):
    print(f"{known['abbreviation']},{probability:.6f}")
assert "keras" not in sys.modules
