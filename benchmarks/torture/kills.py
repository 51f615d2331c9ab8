"""Kill drives, explanations and trainings at random moments, or fill their disk, and resume them.

Each is killed several times (SIGKILL and SIGTERM in turn), finished, and compared with an undisturbed one:
results must have the same bytes, weights may differ by 0.001 (threads add in other orders), and no other file
may be left. Disks are filled on a small tmpfs, which only root can mount. Exits with 1 if something differs.
"""

import argparse
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np

from benchmarks.common import Table
from benchmarks.torture.materials import RATE, TINY
from cnn_gap.simulation import simulate_record, write_simulated
from cnn_gap.system.exit_codes import run
from cnn_gap.system.shipped import SHIPPED_MODEL

#: Number of records of a job.
RECORDS = 20

#: Largest difference of weights.
NEAR = 1e-3

#: Sizes of the disks that are filled, bytes.
DISKS = (20_000, 60_000, 200_000, 500_000, 1_500_000)


@dataclass(frozen=True)
class Job:
    """A command that writes into a folder.

    Attributes
    ----------
    name : str
    script : str
        At the repository's top.
    before, after : tuple of str
        The arguments before and after the folder.
    resume : tuple of str
        Arguments that are added to resume it.
    pattern : str
        The files of the folder that must be equal.
    """

    name: str
    script: str
    before: tuple[str, ...]
    after: tuple[str, ...]
    resume: tuple[str, ...]
    pattern: str

    def command(self, out: Path, resume: bool = False) -> list[str]:
        """Return the command line."""
        more = self.resume if resume else ()
        return [sys.executable, self.script, *self.before, str(out), *self.after, *more]


def main(arguments: list[str]) -> int:
    """Kill, fill, compare and print a table; return 1 if something differs."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.torture.kills", description=__doc__)
    parser.add_argument("--kills", metavar="N", type=int, default=50, help="default: %(default)s")
    parser.add_argument("--fills", metavar="N", type=int, default=15, help="default: %(default)s")
    parser.add_argument("--seed", metavar="N", type=int, default=0)
    options = parser.parse_args(arguments)
    random, rows, faults = Random(options.seed), [], []
    with tempfile.TemporaryDirectory(prefix="kills-") as place:
        folder = Path(place)
        jobs = _jobs(folder)
        for job in jobs:
            expected = folder / f"expected {job.name}"
            started = time.monotonic()
            subprocess.run(job.command(expected), check=True, capture_output=True)
            seconds = time.monotonic() - started
            for kind, count, attack in (
                ("kills", options.kills, _killed),
                ("full disks", options.fills, _filled),
            ):
                done, lines = attack(job, folder, expected, seconds, count // len(jobs), random)
                rows.append((f"{job.name}, {kind}", done, "; ".join(lines) or "equal"))
                faults += [line for line in lines if not line.startswith("skipped")]
    print(Table("command and attack", ("times", "results of the resumed command"), tuple(rows)))
    return int(bool(faults))


def _jobs(folder: Path) -> tuple[Job, ...]:
    data, config = folder / "data", folder / "tiny.toml"
    for index in range(RECORDS):
        codes = [("426783006", "164889003", "270492004")[index % 3]]
        write_simulated(data, simulate_record(f"R{index:03}", codes, RATE, 10.0 + index, seed=index))
    config.write_text(TINY.replace("epochs = 1", "epochs = 8"))
    model, short = str(SHIPPED_MODEL), ("--no-leads", "--classes", "top1", "--pdf")
    return (
        Job("drive", "driver.py", (model, str(data)), (), (), "*.csv"),
        Job("explain", "explain.py", (model, str(data), "--out"), short, (), "R*"),
        Job("train", "train_model.py", (str(data),), ("--config", str(config)), ("--resume",), "model.keras"),
    )


def _killed(
    job: Job, folder: Path, expected: Path, seconds: float, count: int, random: Random
) -> tuple[int, list[str]]:
    """Kill a job at random moments, five times before it may finish; return kills and differences."""
    done, lines = 0, []
    while done < count:
        out = folder / "out"
        for number in range(min(5, count - done)):
            child = subprocess.Popen(
                job.command(out, resume=number > 0), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(random.uniform(0, seconds))
            child.send_signal(signal.SIGKILL if done % 2 else signal.SIGTERM)
            child.wait()
            done += 1
        lines += _finish(job, out, expected)
        shutil.rmtree(out)
    return done, lines


def _filled(
    job: Job, folder: Path, expected: Path, seconds: float, count: int, random: Random
) -> tuple[int, list[str]]:
    """Fill the disk of a job, make room and resume it; return how often the disk was full, and differences."""
    lines: list[str] = []
    for done in range(count):
        try:
            with _disk(folder / "disk", random.choice(DISKS)) as enlarge:
                out = folder / "disk" / "out"
                ended = subprocess.run(
                    job.command(out), capture_output=True, text=True, timeout=60 + 10 * seconds
                )
                if "Traceback" in ended.stderr or ended.returncode not in (0, 1):
                    lines.append(f"exit code {ended.returncode}: {ended.stderr[-300:]}")
                enlarge()
                lines += _finish(job, out, expected)
        except PermissionError:
            return done, ["skipped: only root can mount a tmpfs"]
    return count, lines


def _finish(job: Job, out: Path, expected: Path) -> list[str]:
    """Resume a job and let it finish; return the differences from the undisturbed one."""
    ended = subprocess.run(job.command(out, resume=True), capture_output=True, text=True)
    if ended.returncode:
        return [f"cannot go on: {ended.stderr[-300:]}"]
    left = [path.name for path in out.rglob(".*")]
    lines = [f"left behind: {', '.join(left)}"] if left else []
    for path in sorted(expected.glob(job.pattern)):
        if path.suffix == ".keras":
            lines += _compare_weights(path, out / path.name)
        elif not (out / path.name).exists() or (out / path.name).read_bytes() != path.read_bytes():
            lines.append(f"{path.name} differs")
    return lines


def _compare_weights(expected: Path, found: Path) -> list[str]:
    import keras

    first, second = (keras.saving.load_model(path, compile=False).get_weights() for path in (expected, found))
    differences = [float(np.abs(one - other).max()) for one, other in zip(first, second, strict=True)]
    return [f"weights differ by {max(differences):.2g}"] if max(differences) > NEAR else []


@contextlib.contextmanager
def _disk(place: Path, size: int) -> Iterator[Callable[[], None]]:
    """Mount a tmpfs of `size` bytes; yield a function that enlarges it."""
    place.mkdir(exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)]
    if os.geteuid() or subprocess.run(mount, capture_output=True).returncode:
        raise PermissionError
    try:
        yield lambda: subprocess.run(["mount", "-o", "remount,size=500m", str(place)], check=True) and None
    finally:
        subprocess.run(["umount", str(place)], check=True)


if __name__ == "__main__":
    run(main)
