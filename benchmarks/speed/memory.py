"""How much memory preparing and training take, however many records there are.

Prepares the windows of N records and trains a tiny network on them for an epoch: its size does not matter
here, and the windows are those of the default configuration. The records are headers linked to a few
simulated signals, so that making them costs nothing; each is read and prepared as if it were another. Exits
with 1 if the memory reaches the limit. Needs about 25 kB of temporary space a record (in TMPDIR).
"""

import argparse
import resource
import sys
import tempfile
import tomllib
from dataclasses import replace
from pathlib import Path

from benchmarks.common import table, write_linked_records
from cnn_gap.signal.windows import Preprocessing
from cnn_gap.system.exit_codes import run
from cnn_gap.system.shipped import SHIPPED_CONFIGS

#: What the whole may take, bytes.
LIMIT = 4e9

#: Unit of `ru_maxrss`, bytes.
MAXRSS_UNIT = 1 if sys.platform == "darwin" else 1024


def main(arguments: list[str]) -> int:
    """Prepare, train and print a table of peaks; return 1 if they reach the limit."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed.memory", description=__doc__)
    parser.add_argument("--records", metavar="N", type=int, default=45_000, help="default: %(default)s")
    parser.add_argument(
        "--sampling-rate", metavar="HZ", type=float, default=500.0, help="of the records (default: %(default)g)"
    )
    options = parser.parse_args(arguments)
    from joblib import cpu_count

    with tempfile.TemporaryDirectory() as folder:
        data, cache = Path(folder) / "records", Path(folder) / "cache"
        write_linked_records(data, options.records, options.sampling_rate)
        # Apart from training, and first: the system counts a process from its parent's size on, and this one
        # is small only until it imports Keras.
        _prepare(data, cache)
        worker = _peak(resource.RUSAGE_CHILDREN)
        _train(data, Path(folder) / "model", cache)
    own = _peak(resource.RUSAGE_SELF)
    together = own + cpu_count() * worker
    rows = [
        ("main process", own / 1e9),
        (f"largest of {cpu_count()} workers", worker / 1e9),
        ("all together, at most", together / 1e9),
        ("limit", LIMIT / 1e9),
    ]
    print(table((f"peak resident memory, {options.records} records", "GB"), rows))
    return int(together >= LIMIT)


def _prepare(data: Path, cache: Path) -> None:
    """Prepare the windows as training does; the processes that did it have ended then, so that they count."""
    from cnn_gap.io.records import read_info
    from cnn_gap.io.sources import find_records
    from cnn_gap.training.window_store import prepare_windows

    settings = tomllib.loads((SHIPPED_CONFIGS / "default.toml").read_text())
    preprocessing = Preprocessing(**settings["preprocessing"])
    prepare_windows([read_info(path) for path in find_records(data)], preprocessing, cache)


def _train(data: Path, model: Path, cache: Path) -> None:
    """Train on the windows that are prepared."""
    from cnn_gap.diagnoses.classes import read_weights
    from cnn_gap.network.architecture import Network
    from cnn_gap.training.config import read_config
    from cnn_gap.training.train import train_model

    config = read_config()
    config = replace(
        config,
        network=Network(filters=(8,), kernels=(5,), pooling=(4,)),
        training=replace(config.training, epochs=1, warmup_epochs=0.0),
    )
    train_model(data, model, config, read_weights(), cache=cache)


def _peak(who: int) -> int:
    """Return the peak resident memory of this process or of its largest child that has ended, bytes."""
    return resource.getrusage(who).ru_maxrss * MAXRSS_UNIT


if __name__ == "__main__":
    run(main)
