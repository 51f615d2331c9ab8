"""Export a trained model for other runtimes."""

import argparse
from pathlib import Path

from cnn_gap.commands.checks import CommandInputs
from cnn_gap.commands.command import Command
from cnn_gap.system.outputs import EXPORTED


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "out", metavar="OUT", type=Path, help="file to write: .onnx, or .tflite (pip install 'cnn-gap[train]')"
    )


def _execute(options: argparse.Namespace) -> None:
    """Write the model in the format of the output's suffix."""
    CommandInputs((options.model,), outputs=[(options.out, EXPORTED)]).check()
    from cnn_gap.model.export import export_network
    from cnn_gap.model.folder import read_model

    export_network(*read_model(options.model), options.out)
    print(f"wrote {options.out}")


COMMAND = Command(
    "export", "Export a trained model for ONNX or LiteRT runtimes.", _add_arguments, _execute, takes_model=True
)
