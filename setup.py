"""Copy the files that ship with the package into it while a wheel is built; the rest is in pyproject.toml."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).parent


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


setup(cmdclass={"build_py": BuildWithShippedFiles})
