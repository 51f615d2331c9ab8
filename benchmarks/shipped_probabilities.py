"""Write the shipped model's probabilities of simulated records; its test compares them on every machine.

python -m benchmarks.shipped_probabilities model
"""

import json
from pathlib import Path

from benchmarks.common import command_parser, start_classifier
from cnn_gap.io.records import read_record
from cnn_gap.system.exit_codes import run
from cnn_gap.system.files import write_text

#: Records of `test_data/`: normal, and with diagnoses of each kind.
RECORDS = ("SIM0001", "SIM0008", "SIM0013", "SIM0021", "SIM0034", "SIM0048")

#: Decimals of the probabilities; the test allows for a difference of 1e-4.
DECIMALS = 6


def main(arguments: list[str]) -> None:
    """Write the file."""
    parser = command_parser("benchmarks.shipped_probabilities", __doc__)
    parser.add_argument("model", metavar="MODEL", type=Path, help="folder of the shipped model")
    parser.add_argument("--data", type=Path, default=Path("test_data"), help="folder of the simulated records")
    parser.add_argument(
        "--out", type=Path, default=Path("tests/shipped_probabilities.json"), help="of the test"
    )
    options = parser.parse_args(arguments)
    records = [read_record(options.data / name) for name in RECORDS]
    predictions = start_classifier(options.model).predict_batch(records)
    answers = {each.name: each.probabilities.astype(float).round(DECIMALS).tolist() for each in predictions}
    write_text(options.out, json.dumps(answers) + "\n")


if __name__ == "__main__":
    run(main)
