"""The command ``python -m cnn_gap.simulation``."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from joblib import Parallel, delayed
from tqdm import tqdm

from cnn_gap.simulation.files import CHALLENGE, Plan, varied_plans, write_simulated
from cnn_gap.simulation.recordings import draw_codes, simulate_record
from cnn_gap.system.exit_codes import run


def main(arguments: Sequence[str] | None = None) -> None:
    """Write simulated records by the options of the command line (``-h`` lists them).

    Raises
    ------
    InputError
        If a record of this length or sampling rate cannot be simulated.
    """
    parser = argparse.ArgumentParser(
        prog="python -m cnn_gap.simulation", description="Simulate twelve-lead ECGs."
    )
    parser.add_argument("out", type=Path, metavar="OUT", help="folder to write to")
    parser.add_argument(
        "--records", type=int, default=24, help="number of records (default: %(default)s, one for each class)"
    )
    parser.add_argument("--sampling-rate", type=float, default=500.0, help="Hz (default: %(default)g)")
    parser.add_argument("--seconds", type=float, default=10.0, help="length of each (default: %(default)g)")
    parser.add_argument("--seed", type=int, default=0, help="the same seed gives the same files (default: 0)")
    parser.add_argument("--jobs", type=int, default=-1, help="processes (default: one for each core)")
    parser.add_argument(
        "--varied",
        action="store_true",
        help="write 48 records of many rates, lengths and dialects of headers, as in test_data/, instead",
    )
    options = parser.parse_args(arguments)
    if options.records < 1 or options.seed < 0 or options.jobs == 0:
        parser.error("--records is at least 1, --seed at least 0, --jobs not 0")
    plans = varied_plans() if options.varied else _plain_plans(options)
    tasks = (delayed(_write_plan)(options.out, plan, options.seed) for plan in plans)
    for _ in tqdm(
        Parallel(options.jobs, return_as="generator")(tasks), "simulating", len(plans), unit="record"
    ):
        pass


def _plain_plans(options: argparse.Namespace) -> list[Plan]:
    digits = max(4, len(str(options.records)))
    return [
        Plan(index, f"SIM{index + 1:0{digits}d}", options.sampling_rate, options.seconds, CHALLENGE)
        for index in range(options.records)
    ]


def _write_plan(folder: Path, plan: Plan, seed: int) -> None:
    codes = draw_codes(plan.index, seed)
    record = simulate_record(plan.name, codes, plan.sampling_rate, plan.seconds, (seed, plan.index))
    write_simulated(folder, record, plan.dialect)


if __name__ == "__main__":
    # Imported under its own name: workers cannot import functions of a module named __main__.
    from cnn_gap.simulation.__main__ import main as command

    run(command)
