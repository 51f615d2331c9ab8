"""The catalogue of trained models that ship with the package, by name.

A further model is its folder in `models/` at the repository's top, and an entry here.
"""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from cnn_gap.system.shipped import FURTHER_MODELS, SHIPPED_MODEL

#: Folders of the shipped models by name, the default first. A name tells the training data and sampling rate.
SHIPPED_MODELS: Mapping[str, Path] = MappingProxyType(
    {
        "ptbxl-100hz": SHIPPED_MODEL,
        "ptbxl-100hz-focused": FURTHER_MODELS / "ptbxl-100hz-focused",
    }
)

#: The model that is used where none is named.
DEFAULT_MODEL = next(iter(SHIPPED_MODELS))


def list_models() -> list[str]:
    """Return the names of the shipped models, the default first; `load_classifier` takes each.

    Examples
    --------
    >>> list_models()
    ['ptbxl-100hz', 'ptbxl-100hz-focused']
    """
    return list(SHIPPED_MODELS)


def model_folder(model: str | Path) -> Path:
    """Return the folder of a model: that of a shipped one by its name, otherwise the path itself.

    A folder of the working directory that is called like a shipped model takes precedence.

    Examples
    --------
    >>> model_folder("my/model").as_posix(), (model_folder("ptbxl-100hz") / "model.json").exists()
    ('my/model', True)
    """
    path = Path(model)
    return path if path.is_dir() else SHIPPED_MODELS.get(str(model), path)


def is_model(model: str | Path) -> bool:
    """Return whether this is the name of a shipped model or a folder that holds a model."""
    return (model_folder(model) / "model.json").is_file()


def model_name(model: str | Path) -> str:
    """Return the name of a shipped model, or that of a model's folder.

    Examples
    --------
    >>> model_name(SHIPPED_MODEL), model_name("ptbxl-100hz"), model_name("my/model")
    ('ptbxl-100hz', 'ptbxl-100hz', 'model')
    """
    folder = model_folder(model).resolve()
    return next((name for name, path in SHIPPED_MODELS.items() if path.resolve() == folder), folder.name)
