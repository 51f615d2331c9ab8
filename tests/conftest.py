"""Fixtures for all tests: the repository's folders, simulated records, a model trained on them in seconds."""

import os
import queue
import shutil
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import settings

from cnn_gap.diagnoses.classes import read_weights
from cnn_gap.diagnoses.findings import read_findings
from cnn_gap.evaluate.thresholds import DecisionRule
from cnn_gap.leads import LEADS
from cnn_gap.network.options import Network
from cnn_gap.simulation import draw_codes, simulate_record, write_simulated
from cnn_gap.system.exit_codes import run
from cnn_gap.training.config import Config, Training

ROOT = Path(__file__).parents[1]

# No test may fail because the machine is busy. CI draws the same examples each time, other runs draw new ones.
settings.register_profile("any machine", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("any machine")

#: A configuration whose network is small enough to be trained in a second.
TINY = Config(
    network=Network(filters=(8, 8, 16), kernels=(9, 5, 5), pooling=(4, 4, 1)),
    training=Training(epochs=2, batch_size=16, validation_fraction=0.25, learning_rate=1e-2),
    answers=DecisionRule(),
)


#: The marker of the tests that use a fixture, so that they can be left out: `pytest -m "not browser"`.
MARKERS = {"browser": "browser", "shared": "development_data"}


def pytest_collection_modifyitems(items):
    """Mark the tests that need a browser or the development data."""
    for item in items:
        for fixture, marker in MARKERS.items():
            if fixture in getattr(item, "fixturenames", ()):
                item.add_marker(marker)


@pytest.fixture(scope="session")
def shared():
    """Real recordings and reference figures, which are not part of the repository."""
    folder = ROOT.parent / "shared"
    if not folder.is_dir():
        pytest.skip(f"the development data in {folder.name}/ beside the repository is absent")
    return folder


@pytest.fixture(scope="session")
def records(tmp_path_factory):
    """A folder of 48 simulated records of 10 s at 100 Hz; every class occurs."""
    folder = tmp_path_factory.mktemp("records")
    for index in range(48):
        codes = draw_codes(index)
        write_simulated(folder, simulate_record(f"SIM{index:04d}", codes, 100.0, 10.0, seed=index))
    return folder


@pytest.fixture(scope="session")
def model(records, tmp_path_factory):
    """A model folder trained on `records`."""
    from cnn_gap.training.train import train_model

    folder = tmp_path_factory.mktemp("model")
    train_model(records, folder, TINY, read_weights(), log=lambda line: None)
    return folder


@pytest.fixture(scope="session")
def with_findings():
    """An untrained classifier that answers PTB-XL's statements beside the scored classes."""
    from cnn_gap.classifier import Classifier
    from cnn_gap.model.folder import ModelDescription
    from cnn_gap.model.trained_network import in_memory
    from cnn_gap.network.architecture import build_network

    scored, findings = read_weights(), read_findings("scp")
    outputs = len(scored) + len(findings)
    description = ModelDescription(
        classes=scored.classes,
        weights=scored.weights,
        thresholds=(0.5,) * outputs,
        seen=(True,) * outputs,
        leads=LEADS,
        preprocessing=TINY.preprocessing,
        answers=TINY.answers,
        versions={},
        training={},
        findings=findings,
    )
    margin = TINY.preprocessing.margin_samples
    network = build_network(TINY.network, len(LEADS), outputs, margin=margin)
    return Classifier(in_memory(network), description)


@pytest.fixture
def config_file(tmp_path):
    """The tiny configuration as a user would write it."""
    path = tmp_path / "tiny.toml"
    path.write_text(
        "[network]\nfilters = [8, 8, 16]\nkernels = [9, 5, 5]\npooling = [4, 4, 1]\n"
        "[training]\nepochs = 2\nbatch_size = 16\nvalidation_fraction = 0.25\nlearning_rate = 1e-2\n"
    )
    return path


@pytest.fixture
def run_command(monkeypatch, capsys):
    """Run a top-level script as its command line would, in this process: Keras takes seconds to start."""

    def run_script(script, arguments):
        monkeypatch.setattr(sys, "argv", [script.__name__, *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            run(script.main)
        captured = capsys.readouterr()
        return SimpleNamespace(code=end.value.code, out=captured.out, err=captured.err)

    return run_script


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    """Headless Chromium, 1200 by 800 pixels; the messages on its console are collected."""
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    paths = {name: shutil.which(name) for name in ("chromium", "chromedriver")}
    if absent := [name for name, path in paths.items() if path is None]:
        pytest.skip(f"{' and '.join(absent)} not found; on Debian: apt install chromium chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = paths["chromium"]
    flags = "headless=new disable-gpu disable-quic no-first-run disable-background-networking disable-sync"
    flags += " disable-component-update disable-dev-shm-usage force-prefers-reduced-motion window-size=1200,800"
    flags += f" user-data-dir={tmp_path_factory.mktemp('chromium')}"
    flags += " no-sandbox" if os.geteuid() == 0 else ""  # root has no sandbox
    for flag in flags.split():
        options.add_argument(f"--{flag}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(paths["chromedriver"]))
    yield driver
    driver.quit()


@pytest.fixture
def show(browser, tmp_path):
    """Show a page; its console must stay empty."""

    def show(page):
        path = tmp_path / "page.html"
        path.write_text(page, encoding="utf-8")
        browser.get(path.as_uri())
        return browser

    yield show
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert browser.get_log("browser") == []


@pytest.fixture(scope="session")
def service(model):
    """The address of `cnn-gap serve`, with short limits, in a thread of this process."""
    pytest.importorskip("uvicorn", reason="pip install cnn-gap[serve]")
    from cnn_gap.classifier import load_classifier
    from cnn_gap.serve.app import make_app
    from cnn_gap.serve.limits import Limits
    from cnn_gap.serve.security import Access
    from cnn_gap.serve.server import make_server
    from cnn_gap.serve.service import Service

    limits = Limits(body_mib=4, body_s=2.0, header_s=1.0, rate=0, files=50)
    app = make_app(Service(load_classifier(model), "tiny", limits, workers=2), "f", Access())
    address: queue.Queue[str] = queue.Queue()
    server = make_server(app, "127.0.0.1", 0, limits, address.put)
    thread = threading.Thread(target=server.run)
    thread.start()
    yield address.get(timeout=60)
    server.should_exit = True
    thread.join()
