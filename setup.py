"""Copy the shipped files into a wheel, and list prediction's requirements; the rest is in pyproject.toml."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).parent

#: Packages that only training and the runtime `keras` need.
TRAINING = ("keras", "tensorflow")


class BuildWithShippedFiles(build_py):
    """Build the package with `weights.csv`, `configs/`, `model/` and `models/` in its folder `shipped/`."""

    def run(self) -> None:
        """Copy the modules, then the shipped files; an editable installation reads them where they are."""
        super().run()
        if self.editable_mode:
            return
        target = Path(self.build_lib) / "cnn_gap" / "shipped"
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        shutil.copy2(ROOT / "weights.csv", target)
        shutil.copytree(ROOT / "configs", target / "configs")
        for folder in ("model", "models"):
            if (ROOT / folder).is_dir():
                ignored = shutil.ignore_patterns("cache", "checkpoint")
                shutil.copytree(ROOT / folder, target / folder, ignore=ignored)


def prediction_requirements() -> list[str]:
    """Return the lines of the Challenge's `requirements.txt`, without the packages of the extra `train`."""
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith(("#", *TRAINING))]


setup(cmdclass={"build_py": BuildWithShippedFiles}, install_requires=prediction_requirements())
