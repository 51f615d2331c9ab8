"""Peak memory of preparing windows and training on many records; exits with 1 if it reaches 4 GB.

Prepares the windows of N records by the default configuration and trains a tiny network on them for an epoch.
The records are headers linked to a few simulated signals; each is read and prepared by itself. Needs about 25
kB of temporary space a record (in TMPDIR).
"""

import argparse
import resource
import tempfile
from dataclasses import replace
from pathlib import Path

from benchmarks.common import Table, write_linked_records
from benchmarks.processes import peak_bytes
from cnn_gap.system.exit_codes import run

#: Limit of all processes together, bytes.
LIMIT = 4e9


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
        # Before Keras is imported: the system counts a child's peak from its parent's size on.
        _prepare(data, cache)
        worker = peak_bytes(resource.RUSAGE_CHILDREN)
        _train(data, Path(folder) / "model", cache)
    own = peak_bytes(resource.RUSAGE_SELF)
    together = own + cpu_count() * worker
    rows = (
        ("main process", own / 1e9),
        (f"largest of {cpu_count()} workers", worker / 1e9),
        ("all together, at most", together / 1e9),
        ("limit", LIMIT / 1e9),
    )
    print(Table(f"peak resident memory, {options.records} records", ("GB",), rows))
    return int(together >= LIMIT)


def _prepare(data: Path, cache: Path) -> None:
    """Prepare the windows as training does, by processes that end."""
    from cnn_gap.io.records import read_info
    from cnn_gap.io.sources import find_records
    from cnn_gap.training.config import read_config
    from cnn_gap.training.window_store import prepare_windows

    prepare_windows([read_info(path) for path in find_records(data)], read_config().preprocessing, cache)


def _train(data: Path, model: Path, cache: Path) -> None:
    """Train on the windows that are prepared."""
    from cnn_gap.diagnoses.classes import read_weights
    from cnn_gap.network.options import Network
    from cnn_gap.training.config import read_config
    from cnn_gap.training.train import train_model

    config = read_config()
    training = replace(config.training, epochs=1, warmup_epochs=0.0, focus=0.0)
    config = replace(config, network=Network(filters=(8,), kernels=(5,), pooling=(4,)), training=training)
    train_model(data, model, config, read_weights(), cache=cache)


if __name__ == "__main__":
    run(main)
