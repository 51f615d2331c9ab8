"""CNN-GAP: classify 12-lead ECGs with an explainable convolutional network."""

from importlib import import_module

__version__ = "0.1.0"

#: Names offered here, by the module that has them: imported when first used, because Keras takes seconds.
_EXPORTS = {
    "Classifier": "classifier",
    "Prediction": "classifier",
    "Explanation": "prediction.explanation",
    "load_classifier": "classifier",
    "Record": "ecg.records",
    "read_record": "ecg.records",
    "InputError": "errors",
}

__all__ = ["__version__", *_EXPORTS]


def __getattr__(name: str):
    if name not in _EXPORTS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_EXPORTS[name]}"), name)
