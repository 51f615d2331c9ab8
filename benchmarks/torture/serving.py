"""Load and damage for `cnn-gap serve`: many clients, damaged files among the good ones, killed workers.

Each good record must get the same answer as from the driver (labels equal, probabilities within 1e-5) or the
status 503 (try again later). Each damaged record must get an answer or a reason. Memory must not grow. The
command prints counts, times and faults, and exits with 1 if there is a fault.
"""

import argparse
import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from statistics import quantiles

import httpx
import numpy as np

from benchmarks.common import Table, start_classifier
from benchmarks.processes import resident_bytes, with_descendants
from benchmarks.torture.damage import damaged_bytes
from cnn_gap.batch.classify_folder import classify_folder
from cnn_gap.io.records import record_files
from cnn_gap.io.sources import find_records
from cnn_gap.results.challenge_files import read_outputs
from cnn_gap.simulation import draw_codes, simulate_record, write_simulated
from cnn_gap.simulation.writers import WRITERS
from cnn_gap.system.exit_codes import run

#: Simulated records that are sent, and the largest difference of a probability.
RECORDS, CLOSE = 48, 1e-5

#: Growth of the service's memory, from the first third of the time to the last one, that is a fault.
MOST_GROWTH = 0.2

#: Seconds that an answer may take at most.
PATIENCE_S = 120.0


@dataclass(eq=False)
class Tally:
    """How requests ended: counts by outcome, times (s), texts of faults, and memory of the service, bytes."""

    outcomes: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    memory: list[int] = field(default_factory=list)
    equal: int = 0

    def fault(self, text: str) -> None:
        """Count and keep a fault."""
        self.outcomes["fault"] += 1
        self.faults.append(text)


@dataclass(frozen=True, eq=False)
class Materials:
    """The requests to send: files of good records with their expected answers, and damaged files."""

    good: Sequence[tuple[list[tuple[str, bytes]], Path]]
    others: Sequence[tuple[str, bytes]]


def main(arguments: list[str]) -> int:
    """Send requests for a time; return 1 if there is a fault."""
    options = _parser().parse_args(arguments)
    tally = Tally()
    with tempfile.TemporaryDirectory(prefix="serving-") as folder:
        materials, driven = _materials(Path(folder), options.model)
        command = [sys.executable, "-m", "cnn_gap", "serve", str(options.model), "--port", "0", "--rate", "0"]
        service = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        try:
            address = next(word for word in service.stdout.readline().split() if word.startswith("http"))
            asyncio.run(_load(address, service.pid, materials, options, tally))
        finally:
            service.terminate()
            service.wait(timeout=100)
    _judge(tally)
    print(_table(tally, options.seconds, driven))
    for text in tally.faults[:20]:
        print(f"\n{text}")
    return int(bool(tally.faults))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.torture.serving", description=__doc__)
    parser.add_argument("model", metavar="MODEL", type=Path, help="folder of a trained model")
    parser.add_argument("--clients", metavar="N", type=int, default=200, help="(default: %(default)s)")
    parser.add_argument("--seconds", metavar="S", type=float, default=300.0, help="(default: %(default)g)")
    parser.add_argument(
        "--damaged", metavar="SHARE", type=float, default=0.2, help="of the requests (default: %(default)g)"
    )
    parser.add_argument(
        "--kill-every", metavar="S", type=float, help="kill one of the workers so often (default: never)"
    )
    parser.add_argument(
        "--pause", metavar="S", type=float, default=0.0, help="of a client between two requests"
    )
    parser.add_argument("--seed", metavar="S", type=int, default=0, help="(default: %(default)s)")
    return parser


def _materials(folder: Path, model: Path) -> tuple[Materials, float]:
    """Write records, and return them with the driver's answers, and how many a second it answered."""
    data, others = folder / "data", folder / "others"
    data.mkdir()
    for number in range(RECORDS):
        write_simulated(data, simulate_record(f"S{number:03}", draw_codes(number), 500.0, 10.0, seed=number))
    for number, (form, write) in enumerate(WRITERS.items()):
        place = others / form
        place.mkdir(parents=True)
        write(place, simulate_record(f"O{number:03}", draw_codes(number), 500.0, 10.0, seed=number))
    classifier = start_classifier(model)
    classify_folder(classifier, model, data, folder / "warm", print)
    started = time.perf_counter()
    classify_folder(classifier, model, data, folder / "out", print)
    driven = RECORDS / (time.perf_counter() - started)
    good = [
        ([(file.name, file.read_bytes()) for file in record_files(path)], folder / "out" / f"{path.stem}.csv")
        for path in find_records(data)
    ]
    damaged = [(file.name, file.read_bytes()) for file in sorted(others.rglob("*")) if file.is_file()]
    return Materials(good, damaged), driven


async def _load(
    address: str, pid: int, materials: Materials, options: argparse.Namespace, tally: Tally
) -> None:
    limits = httpx.Limits(max_connections=options.clients)
    async with httpx.AsyncClient(base_url=address, timeout=PATIENCE_S, limits=limits) as client:
        await _send_good(client, materials.good[0], Tally())  # the first one starts the runtime
        deadline = time.monotonic() + options.seconds
        watching = asyncio.create_task(_watch(pid, options, tally))
        clients = (
            _client(client, materials, Random(f"{options.seed}:{number}"), options, deadline, tally)
            for number in range(options.clients)
        )
        await asyncio.gather(*clients)
        watching.cancel()


async def _client(
    client: httpx.AsyncClient,
    materials: Materials,
    random: Random,
    options: argparse.Namespace,
    deadline: float,
    tally: Tally,
) -> None:
    while True:
        await asyncio.sleep(options.pause * 2 * random.random())
        if time.monotonic() >= deadline:
            return
        if random.random() < options.damaged:
            name, content = random.choice(materials.others)
            await _send_damaged(client, name, damaged_bytes(content, random), tally)
        else:
            await _send_good(client, random.choice(materials.good), tally)


async def _send_good(
    client: httpx.AsyncClient, record: tuple[list[tuple[str, bytes]], Path], tally: Tally
) -> None:
    files, expected = record
    started = time.perf_counter()
    try:
        answer = await client.post("v1/ecgs?format=csv", files=[("file", file) for file in files])
    except httpx.HTTPError as error:
        tally.fault(f"{expected.stem}: {error!r}")
        return
    if answer.status_code == 503:
        tally.outcomes["told to come later"] += 1
        await asyncio.sleep(float(answer.headers["retry-after"]))
    elif answer.status_code == 200 and _is_close(answer.content, expected):
        tally.outcomes["answered"] += 1
        tally.equal += answer.content == expected.read_bytes()
        tally.seconds.append(time.perf_counter() - started)
    else:
        tally.fault(f"{expected.stem}: {answer.status_code} {answer.text[:300]}")


async def _send_damaged(client: httpx.AsyncClient, name: str, content: bytes, tally: Tally) -> None:
    try:
        answer = await client.post("v1/ecgs", params={"name": name}, content=content)
    except httpx.HTTPError as error:
        tally.fault(f"damaged {name}: {error!r}")
        return
    if answer.status_code in (200, 400, 422, 503):
        tally.outcomes[f"damaged: {answer.status_code}"] += 1
    else:
        tally.fault(f"damaged {name}: {answer.status_code} {answer.text[:300]}")


def _is_close(content: bytes, expected: Path) -> bool:
    with tempfile.NamedTemporaryFile(suffix=".csv") as file:
        file.write(content)
        file.flush()
        found, known = read_outputs(Path(file.name)), read_outputs(expected)
    same = found.codes == known.codes and np.array_equal(found.labels, known.labels)
    return same and np.allclose(found.probabilities, known.probabilities, rtol=0, atol=CLOSE)


async def _watch(pid: int, options: argparse.Namespace, tally: Tally) -> None:
    """Note the memory of the service each second, and kill its workers."""
    random, killed = Random(options.seed), time.monotonic()
    while True:
        await asyncio.sleep(1.0)
        tally.memory.append(resident_bytes(pid))
        if options.kill_every and time.monotonic() - killed >= options.kill_every:
            killed = time.monotonic()
            children = set(_children(pid))
            if workers := [each for each in with_descendants(pid) if each != pid and each not in children]:
                os.kill(random.choice(workers), signal.SIGKILL)
                tally.outcomes["killed workers"] += 1


def _children(pid: int) -> list[int]:
    """Return the processes that a process has started itself: the fork server, whose children are workers."""
    return [
        int(each) for path in Path(f"/proc/{pid}/task").glob("*/children") for each in path.read_text().split()
    ]


def _judge(tally: Tally) -> None:
    third = len(tally.memory) // 3
    if third and np.mean(tally.memory[-third:]) > (1 + MOST_GROWTH) * np.mean(tally.memory[third : 2 * third]):
        tally.fault("the service's memory grows")
    if not tally.outcomes["answered"]:
        tally.fault("nothing was answered")


def _table(tally: Tally, seconds: float, driven: float) -> Table:
    cuts = quantiles(tally.seconds, n=100) if len(tally.seconds) > 1 else [float("nan")] * 99
    rows = [
        *sorted(tally.outcomes.items()),
        ("answers equal to the driver's to the byte", tally.equal),
        ("requests a second, damaged ones too", sum(tally.outcomes.values()) / seconds),
        ("records a second of the driver", driven),
        ("median time of an answer, s", cuts[49]),
        ("99th percentile, s", cuts[98]),
        ("memory of the service at the end, MB", (tally.memory or [0])[-1] / 1e6),
    ]
    return Table("serving", ("",), tuple(rows))


if __name__ == "__main__":
    run(main)
