"""CNN-GAP: classify 12-lead ECGs with an explainable convolutional network.

>>> from cnn_gap import load_classifier
>>> classifier = load_classifier()
>>> prediction = classifier.predict("test_data/SIM0008")
>>> [diagnosis.name for diagnosis, probability in prediction.top(1)]
['Sinus rhythm']
"""

from importlib import import_module
from typing import TYPE_CHECKING

from cnn_gap.system.version import __version__

if TYPE_CHECKING:
    from cnn_gap.classifier import Classifier, load_classifier
    from cnn_gap.explain.explanation import ExplainedClass, Explanation
    from cnn_gap.io.amplitudes import record_from_signal
    from cnn_gap.io.records import read_record
    from cnn_gap.predict.prediction import Answer, Prediction
    from cnn_gap.record import Record
    from cnn_gap.report.data_frames import predictions_table
    from cnn_gap.report.figures import plot
    from cnn_gap.system.errors import InputError

__all__ = [
    "Answer",
    "Classifier",
    "ExplainedClass",
    "Explanation",
    "InputError",
    "Prediction",
    "Record",
    "__version__",
    "load_classifier",
    "plot",
    "predictions_table",
    "read_record",
    "record_from_signal",
]

#: Where each public name lives. A module is imported when one of its names is first used: Keras takes seconds.
_MODULES = {
    "Answer": "predict.prediction",
    "Classifier": "classifier",
    "ExplainedClass": "explain.explanation",
    "Explanation": "explain.explanation",
    "InputError": "system.errors",
    "Prediction": "predict.prediction",
    "Record": "record",
    "load_classifier": "classifier",
    "plot": "report.figures",
    "predictions_table": "report.data_frames",
    "read_record": "io.records",
    "record_from_signal": "io.amplitudes",
}

#: The modules that import Keras, which is started before them so that it stays quiet.
_WITH_KERAS = frozenset(("classifier",))


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = _MODULES[name]
    if module in _WITH_KERAS:
        from cnn_gap.system.backend import start_keras

        start_keras()
    return getattr(import_module(f"{__name__}.{module}"), name)


def __dir__() -> list[str]:
    return __all__
