"""CNN-GAP: classify 12-lead ECGs with an explainable convolutional network.

The public names stand in `__init__.pyi`. A module is imported when one of its names is first used.

>>> from cnn_gap import load_classifier
>>> classifier = load_classifier()
>>> prediction = classifier.predict("test_data/SIM0008")
>>> [diagnosis.name for diagnosis, probability in prediction.top(1)]
['Sinus rhythm']
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
