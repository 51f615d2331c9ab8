"""Serve a page and a REST interface that read ECGs."""

import argparse
from pathlib import Path

from cnn_gap.commands.checks import CommandInputs
from cnn_gap.commands.command import Command, add_runtime_options, warn, whole_number
from cnn_gap.model.catalogue import model_name
from cnn_gap.model.folder import fingerprint
from cnn_gap.model.runtimes import Runtime
from cnn_gap.system.errors import InputError
from cnn_gap.system.processes import MOST_JOBS, usual_jobs

#: The usual address: this machine alone.
HOST, PORT = "127.0.0.1", 8000


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--host",
        metavar="ADDRESS",
        default=HOST,
        help="address to listen at; others than this machine's own need --token-file (default: %(default)s)",
    )
    parser.add_argument(
        "--port", type=whole_number(0, 65535), default=PORT, help="0: a free one (default: %(default)s)"
    )
    parser.add_argument(
        "--token-file",
        metavar="FILE",
        type=Path,
        help="file with a token on each line; every request that sends records needs one of them",
    )
    parser.add_argument(
        "--no-token",
        action="store_true",
        help="listen at another address without tokens: only for a container whose port is published on this"
        " machine alone",
    )
    parser.add_argument(
        "--allow-origin",
        metavar="URL",
        action="append",
        default=[],
        help="another site whose pages may send requests, such as https://ecg.example.org; can be repeated",
    )
    parser.add_argument(
        "--workers",
        metavar="N",
        type=whole_number(1, MOST_JOBS),
        help="processes that read records and draw (default: one for each core, at most 9)",
    )
    parser.add_argument(
        "--largest",
        metavar="MIB",
        type=whole_number(1, 1024),
        default=64,
        help="largest request, MiB (default: %(default)s)",
    )
    parser.add_argument(
        "--rate",
        metavar="N",
        type=whole_number(0),
        default=6000,
        help="most requests of a client in a minute; 0: any number (default: %(default)s)",
    )
    add_runtime_options(parser)


def _execute(options: argparse.Namespace) -> int:
    """Answer requests until Ctrl-C."""
    try:
        from cnn_gap.serve.limits import Limits
        from cnn_gap.serve.security import LOOPBACK, Access, read_tokens
        from cnn_gap.serve.server import log_requests, make_server
    except ImportError as error:
        raise InputError(f"serving needs more packages ({error}); pip install 'cnn-gap[serve]'") from error
    CommandInputs((options.model,)).check()
    tokens = () if options.token_file is None else read_tokens(options.token_file)
    if options.host not in LOOPBACK and not tokens and not options.no_token:
        raise InputError(
            f"{options.host}: others can connect there; give --token-file FILE, and let a proxy do TLS"
        )
    runtime = Runtime(options.runtime, options.precision)
    from cnn_gap.classifier import load_classifier
    from cnn_gap.serve.app import make_app
    from cnn_gap.serve.service import Service

    classifier = load_classifier(options.model, runtime.name, runtime.precision)
    limits = Limits(body_mib=options.largest, rate=options.rate)
    service = Service(classifier, model_name(options.model), limits, options.workers or max(usual_jobs(), 1))
    access = Access(tokens, LOOPBACK | {options.host}, frozenset(options.allow_origin))
    app = make_app(service, fingerprint(options.model), access)
    if options.host not in LOOPBACK:
        warn("records and tokens are not encrypted at this address; let a proxy do TLS")
    log_requests()
    make_server(app, options.host, options.port, limits, _say).run()
    return 0


def _say(address: str) -> None:
    print(f"CNN-GAP answers at {address} (Ctrl-C ends it)", flush=True)


COMMAND = Command(
    "serve",
    "Serve a page to drop ECGs on, and a REST interface that reads them.",
    _add_arguments,
    _execute,
    takes_model=True,
)
