"""The files that ship with the package: the Challenge's weights, the configurations and trained models.

In the repository they lie at its top, where the Challenge and the README have them. A built package holds a
copy of them in its folder `shipped/` (see `setup.py`), so that it works wherever it is installed.
"""

from pathlib import Path

_INSIDE = Path(__file__).parents[1] / "shipped"
_FOLDER = _INSIDE if _INSIDE.is_dir() else Path(__file__).parents[2]

#: The Challenge's rewards of 2020, each pair of equivalent codes joined into one row.
SHIPPED_WEIGHTS = _FOLDER / "weights.csv"

#: The configurations of trainings.
SHIPPED_CONFIGS = _FOLDER / "configs"

#: The folder of the model that the commands use by default, and a folder with the folders of further models.
SHIPPED_MODEL = _FOLDER / "model"
FURTHER_MODELS = _FOLDER / "models"
