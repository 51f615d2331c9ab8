"""The command `cnn-gap`; all other commands are its sub-commands."""

import argparse
from collections.abc import Callable

from cnn_gap.commands import convert, drive, evaluate, explain, export, inspect, predict, serve, train, watch
from cnn_gap.system.exit_codes import run
from cnn_gap.system.version import __version__

MODULES = (train, drive, evaluate, predict, explain, export, inspect, convert, serve, watch)

COMMANDS = tuple(module.COMMAND for module in MODULES)


def main(arguments: list[str]) -> int | None:
    """Execute the sub-command that the arguments begin with."""
    parser = argparse.ArgumentParser(
        prog="cnn-gap",
        description="Classify 12-lead ECGs, and show where in them each diagnosis is visible.",
    )
    parser.add_argument("--version", action="version", version=__version__)
    subparsers = parser.add_subparsers(metavar="COMMAND", required=True)
    for command in COMMANDS:
        subparser = subparsers.add_parser(
            command.name, help=command.description, description=command.description
        )
        command.prepare(subparser, model_required=False)
    options = parser.parse_args(arguments)
    run_command: Callable[[argparse.Namespace], int | None] = options.run
    return run_command(options)


def console() -> None:
    """Run `main` on the command line's arguments, as the installed command `cnn-gap` does."""
    run(main)


if __name__ == "__main__":  # `python -m cnn_gap.commands.main` does the same, instead of nothing
    console()
