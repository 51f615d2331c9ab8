"""Child process that runs cases one after the other and reports on standard output how each ended.

Usage: python -m benchmarks.torture.worker plain|keras SEED FIRST LAST STEP MATERIALS
"""

import bisect
import itertools
import json
import os
import sys
import tempfile
import traceback
from collections.abc import Sequence
from pathlib import Path
from random import Random

from benchmarks.torture.kinds import PLAIN, Kind
from cnn_gap.system.errors import InputError, printable

#: Ends of a case; all others are faults.
ANSWERED, REFUSED = "answered", "refused"


def kinds_of(family: str) -> tuple[Kind, ...]:
    """Return the kinds of a family, ``"plain"`` or ``"keras"``."""
    if family == "plain":
        return PLAIN
    from benchmarks.torture.commands import COMMANDS

    return COMMANDS


def kind_of(kinds: Sequence[Kind], seed: int, index: int) -> tuple[Kind, Random]:
    """Return the kind of a case and its random numbers, determined by the seed and the number of the case."""
    random = Random(f"{seed}:{index}")
    ends = list(itertools.accumulate(kind.weight for kind in kinds))
    return kinds[bisect.bisect(ends, random.random() * ends[-1])], random


def run_case(kind: Kind, materials: Path, random: Random) -> tuple[str, str]:
    """Return how a case ended, and the text of a fault."""
    with tempfile.TemporaryDirectory(prefix="case-") as folder:
        try:
            fault = kind.run(materials, Path(folder), random)
        except InputError as error:
            reason = str(error)
            if reason != printable(reason) or not reason.strip():
                return "message", repr(reason)
            return ("memory", reason) if "MemoryError" in reason else (REFUSED, "")
        except MemoryError:
            return "memory", traceback.format_exc()[-500:]
        except BaseException:
            return "traceback", traceback.format_exc()[-2000:]
    if fault is None:
        return ANSWERED, ""
    return fault.partition(":")[0], fault


def main(arguments: list[str]) -> None:
    """Run every case from FIRST to before LAST, STEP apart."""
    family, *numbers, materials = arguments
    seed, first, last, step = map(int, numbers)
    # Libraries print to standard output, too: the reports go to a copy of it.
    report = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    if family == "keras":
        from cnn_gap.system.backend import start_keras

        start_keras()
    kinds = kinds_of(family)
    for index in range(first, last, step):
        kind, random = kind_of(kinds, seed, index)
        print(json.dumps([index, kind.name, "begun", ""]), file=report, flush=True)
        outcome, about = run_case(kind, Path(materials), random)
        print(json.dumps([index, kind.name, outcome, about]), file=report, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
