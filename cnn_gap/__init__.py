"""CNN-GAP: classify 12-lead ECGs with an explainable convolutional network.

The public names stand in `__init__.pyi`. A module is imported when one of its names is first used, since Keras
takes seconds.

>>> from cnn_gap import load_classifier
>>> classifier = load_classifier()
>>> prediction = classifier.predict("test_data/SIM0008")
>>> [diagnosis.name for diagnosis, probability in prediction.top(1)]
['Sinus rhythm']
"""

import lazy_loader

_load, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

#: Names whose modules import Keras, which is started before them so that its backend prints nothing.
_NEED_KERAS = frozenset(("Classifier", "load_classifier"))


def __getattr__(name: str) -> object:
    if name in _NEED_KERAS:
        from cnn_gap.system.backend import start_keras

        start_keras()
    return _load(name)
