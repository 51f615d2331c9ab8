"""The exported network in a browser, by onnxruntime-web: a page classifies without a server."""

import functools
import http.server
import threading

import numpy as np
import pytest
from conftest import ROOT

from cnn_gap.classifier import load_classifier
from cnn_gap.io.records import read_record
from cnn_gap.model.export import export_network

#: The folder into which `npm install --prefix build/web onnxruntime-web` puts its files.
PACKAGE = ROOT / "build" / "web" / "node_modules" / "onnxruntime-web" / "dist"
FILES = ("ort.wasm.min.js", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm")

PAGE = """<!doctype html><link rel="icon" href="data:,"><script src="ort.wasm.min.js"></script><script>
async function classify(shape) {
    ort.env.wasm.numThreads = 1;
    const session = await ort.InferenceSession.create("model.onnx");
    const values = new Float32Array(await (await fetch("windows.bin")).arrayBuffer());
    const windows = new ort.Tensor("float32", values, shape);
    const found = await session.run({windows});
    return {probabilities: [...found.probabilities.data], maps: found.maps.dims};
}
</script>"""


@pytest.fixture
def site(tmp_path):
    """Return the address of a folder that this process serves, and the folder."""
    for name in FILES:
        if not (PACKAGE / name).exists():
            pytest.skip("onnxruntime-web is not installed; npm install --prefix build/web onnxruntime-web")
        (tmp_path / name).symlink_to(PACKAGE / name)
    handler = functools.partial(_Quiet, directory=tmp_path)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/page.html", tmp_path
        server.shutdown()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        """Print nothing."""


def test_a_browser_computes_pythons_probabilities(site, browser):
    address, folder = site
    classifier = load_classifier()
    windows = classifier.windows(read_record(ROOT / "test_data" / "SIM0008"))
    expected, maps = classifier.run_with_maps(windows)
    (folder / "page.html").write_text(PAGE)
    (folder / "windows.bin").write_bytes(np.ascontiguousarray(windows, "<f4").tobytes())
    export_network(classifier.trained, classifier.description, folder / "model.onnx")
    browser.get(address)
    browser.set_script_timeout(120)
    found = browser.execute_async_script(
        "const done = arguments[1]; classify(arguments[0]).then(done, error => done(String(error)))",
        list(windows.shape),
    )
    assert isinstance(found, dict), found
    np.testing.assert_allclose(np.reshape(found["probabilities"], expected.shape), expected, atol=1e-4)
    assert tuple(found["maps"]) == maps.shape
