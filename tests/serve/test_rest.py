"""The REST interface: each format of an answer, errors as problems, kept results, the OpenAPI document."""

import io
import json
import logging
import re
import zipfile

import numpy as np
import pytest

from cnn_gap.batch.classify_folder import classify_folder
from cnn_gap.classifier import load_classifier
from cnn_gap.io.registry import FORMATS, read_file
from cnn_gap.report.data_frames import predictions_table
from cnn_gap.report.page_frame import PAGE_ASSETS
from cnn_gap.serve.operations import OPERATIONS
from cnn_gap.serve.samples import SAMPLES
from cnn_gap.simulation import draw_codes, simulate_record
from cnn_gap.simulation.writers import WRITERS
from cnn_gap.system.errors import InputError

httpx = pytest.importorskip("httpx")

KEY = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"


@pytest.fixture(scope="module")
def client(service):
    with httpx.Client(base_url=service, timeout=60) as client:
        yield client


@pytest.fixture(scope="module")
def dicom(tmp_path_factory):
    """A DICOM file."""
    folder = tmp_path_factory.mktemp("dicom")
    return WRITERS["DICOM"](folder, simulate_record("A0001", draw_codes(1), 500.0, 10.0, seed=1))


def as_form(*paths):
    return [("file", (path.name, path.read_bytes())) for path in paths]


def of(records, name):
    return [records / f"{name}.hea", records / f"{name}.mat"]


def lines(answer):
    assert answer.headers["content-type"].startswith("application/x-ndjson")
    return [json.loads(line) for line in answer.text.splitlines()]


def problem(answer, status):
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), (
        answer.text
    )
    content = answer.json()
    assert content["status"] == status
    return content["detail"]


def test_the_csv_is_the_drivers_file(client, records, model, tmp_path):
    (tmp_path / "in").mkdir()
    for path in of(records, "SIM0003"):
        (tmp_path / "in" / path.name).write_bytes(path.read_bytes())
    classify_folder(load_classifier(model), model, tmp_path / "in", tmp_path / "out", print)
    answer = client.post("/v1/ecgs", files=as_form(*of(records, "SIM0003")), headers={"Accept": "text/csv"})
    assert answer.content == (tmp_path / "out/SIM0003.csv").read_bytes()


def test_json_has_the_reading_that_python_gives(client, records, model):
    content = client.post("/v1/ecgs", files=as_form(*of(records, "SIM0004"))).json()
    prediction = load_classifier(model).predict(records / "SIM0004")
    assert content["record"] == "SIM0004"
    assert content["reading"] == json.loads(json.dumps(prediction.reading.to_dict()))
    assert content["measurements"]["rate"] > 0
    assert [each["abbreviation"] for each in content["classes"]] == [
        each.abbreviation for each in prediction.classes.diagnoses
    ]


@pytest.mark.parametrize(
    ("accept", "start"),
    [("text/html", b"<!DOCTYPE html>"), ("application/pdf", b"%PDF"), ("image/png", b"\x89PNG")],
)
def test_page_pdf_and_png_are_answered(client, dicom, accept, start):
    answer = client.post("/v1/ecgs?name=A0001.dcm", content=dicom.read_bytes(), headers={"Accept": accept})
    assert answer.headers["content-type"].startswith(accept)
    assert answer.content.startswith(start)
    assert "A0001" in answer.headers["content-disposition"]


def test_a_recording_of_minutes_is_drawn_by_strips(client, tmp_path):
    path = WRITERS["DICOM"](tmp_path, simulate_record("A0001", draw_codes(1), 100.0, 200.0, seed=1))
    page = client.post("/v1/ecgs?name=A0001.dcm", content=path.read_bytes(), headers={"Accept": "text/html"})
    assert page.status_code == 200
    assert 'id="typical"' in page.text
    assert len(page.content) < 5e6


def test_a_body_without_a_name_is_known_by_its_content(client, records, dicom):
    assert client.post("/v1/ecgs", content=dicom.read_bytes()).json()["record"] == "ecg"
    header = client.post("/v1/ecgs", content=(records / "SIM0001.hea").read_bytes())
    assert problem(header, 422).startswith("ecg: has a format that is not known")
    header = client.post("/v1/ecgs?name=SIM0001.hea", content=(records / "SIM0001.hea").read_bytes())
    assert problem(header, 422).startswith("SIM0001.mat: ")


def test_an_array_is_read_by_the_parameters_that_describe_it(client):
    record = simulate_record("A", draw_codes(2), 250.0, 10.0, seed=2)
    file = io.BytesIO()
    np.save(file, (1000 * record.signal[:, :2]).astype("i2"))
    about = {"name": "A.npy", "rate": "250", "unit": "uV", "leads": "I, II"}
    content = client.post("/v1/ecgs", params=about, content=file.getvalue()).json()
    assert content["record"] == "A" and content["answerable"]
    assert "has no sidecar" in problem(client.post("/v1/ecgs?name=A.npy", content=file.getvalue()), 422)
    assert "rate" in problem(
        client.post("/v1/ecgs", params=about | {"rate": "x"}, content=file.getvalue()), 400
    )


@pytest.mark.parametrize("content", [b"\x00\x01 no ECG", b"<xml><unclosed", b"RIFF", b"1,2\n3,4\n"])
def test_the_error_is_the_sentence_of_the_commands(client, tmp_path, monkeypatch, content):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "B.dcm").write_bytes(content)
    with pytest.raises(InputError) as expected:
        read_file((tmp_path / "B.dcm").relative_to(tmp_path))
    assert problem(client.post("/v1/ecgs?name=B.dcm", content=content), 422) == str(expected.value)


def test_a_request_that_is_wrong_says_why(client, records, dicom):
    several = as_form(*of(records, "SIM0001"), *of(records, "SIM0002"))
    assert "2 records" in problem(client.post("/v1/ecgs", files=several), 422)
    twice = [*as_form(dicom), *as_form(dicom)]
    assert "A0001.dcm" in problem(client.post("/v1/ecgs", files=twice), 400)
    assert "empty" in problem(client.post("/v1/ecgs", content=b""), 400)
    assert "received video/mp4" in problem(
        client.post("/v1/ecgs", content=b"x", headers={"Accept": "video/mp4"}), 406
    )
    assert "received gif" in problem(client.post("/v1/ecgs?format=gif", content=b"x"), 406)
    problem(
        client.post("/v1/ecgs", data={"file": "no file"}, headers={"Content-Type": "multipart/form-data"}), 400
    )
    for name in ("..", ".hidden", "a/", "%00.dcm", "a" * 300):
        problem(client.post(f"/v1/ecgs?name={name}", content=b"x"), 400)
    problem(client.get("/v1/nothing"), 404)
    wrong = client.put(f"/v1/collections/{KEY}")
    assert "Method Not Allowed" in problem(wrong, 405)
    assert set(wrong.headers["allow"].split(", ")) == {"DELETE", "GET", "HEAD"}


def test_a_body_that_is_too_large_is_refused_announced_or_not(client):
    large = bytes(5 << 20)
    assert "at most 4 MiB" in problem(client.post("/v1/ecgs", content=large), 413)
    chunks = (large[start : start + 65536] for start in range(0, len(large), 65536))
    assert "at most 4 MiB" in problem(client.post("/v1/ecgs", content=chunks), 413)


def test_a_batch_is_answered_in_order_and_the_bad_ones_are_named(client, records, dicom):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        for name in ("SIM0001", "SIM0002"):
            for path in of(records, name):
                packed.write(path, f"ward/{path.name}")
        packed.write(dicom, "clinic/A0001.dcm")
        packed.writestr("clinic/B.dcm", dicom.read_bytes()[:3000])
        packed.writestr("__MACOSX/._B.dcm", b"x")
    answers = lines(
        client.post("/v1/ecgs/batch", content=archive.getvalue(), headers={"Content-Type": "application/zip"})
    )
    assert [each["record"] for each in answers] == ["A0001", "B", "SIM0001", "SIM0002"]
    assert "problem" not in answers[0] and answers[3]["reading"]["conclusion"]
    assert answers[1]["problem"]["detail"].startswith("clinic/B.dcm: ")
    form = as_form(*of(records, "SIM0002"), *of(records, "SIM0001"), dicom)
    both = lines(client.post("/v1/ecgs/batch", files=form))
    assert [each["record"] for each in both] == ["A0001", "SIM0001", "SIM0002"]
    assert [each["label"] for each in both[1]["classes"]] == [each["label"] for each in answers[2]["classes"]]


@pytest.mark.parametrize("name", ["../out.dcm", "/etc/out.dcm", "..\\out.dcm"])
def test_an_archive_does_not_leave_its_folder(client, name):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr(name, b"x")
    answer = client.post(
        "/v1/ecgs/batch", content=archive.getvalue(), headers={"Content-Type": "application/zip"}
    )
    assert "outside of its folder" in problem(answer, 422)


def test_an_archive_of_zeros_is_refused(client):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("zeros.dcm", bytes(64 << 20))
    assert len(archive.getvalue()) < 1 << 17
    answer = client.post(
        "/v1/ecgs/batch", content=archive.getvalue(), headers={"Content-Type": "application/zip"}
    )
    assert "unpacks to more than 16 MiB" in problem(answer, 422)
    damaged = archive.getvalue()[:-20]
    answer = client.post("/v1/ecgs/batch", content=damaged, headers={"Content-Type": "application/zip"})
    assert "cannot be read" in problem(answer, 422)


def test_results_are_kept_until_they_are_to_be_forgotten(client, records, model):
    names = ["SIM0005", "SIM0006"]
    kept = [client.post(f"/v1/ecgs?collection={KEY}", files=as_form(*of(records, name))) for name in names]
    assert [each.status_code for each in kept] == [201, 201]
    place = kept[0].headers["location"]
    assert client.get(place).json() == {key: value for key, value in kept[0].json().items() if key != "id"}
    page = client.get(f"{place}?format=html")
    assert "SIM0005" in page.text and "sandbox allow-scripts" in page.headers["content-security-policy"]
    assert [each["record"] for each in client.get(f"/v1/collections/{KEY}").json()["records"]] == names
    predictions = [load_classifier(model).predict(records / name) for name in names]
    table = client.get(f"/v1/collections/{KEY}?format=csv").text
    assert table.splitlines()[0] == predictions_table(predictions).to_csv(index=False).splitlines()[0]
    assert [line.split(",")[0] for line in table.splitlines()[1:]] == names
    assert client.delete(place).status_code == 204
    problem(client.get(place), 404)
    assert client.delete(f"/v1/collections/{KEY}").status_code == 204
    assert client.get(f"/v1/collections/{KEY}").json() == {"records": []}
    assert "received 5 characters" in problem(client.get("/v1/collections/short"), 400)


def test_formats_models_and_health_are_answered(client):
    assert [each["name"] for each in client.get("/v1/formats").json()["formats"]] == [
        each.name for each in FORMATS
    ]
    (model,) = client.get("/v1/models").json()["models"]
    assert model["name"] == "tiny" and len(model["classes"]) > 20
    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.get("/readyz").json() == {"status": "ready"}


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_samples_can_be_read(client, sample):
    assert sample.name in client.get("/v1/samples").json()["samples"]
    file = client.get(f"/v1/samples/{sample.name}").content
    assert client.post(f"/v1/ecgs?name={sample.name}", content=file).json()["answerable"]


def test_an_unknown_sample_is_named(client):
    assert "received other.dcm" in problem(client.get("/v1/samples/other.dcm"), 404)


def test_metrics_and_logs_tell_nothing_of_a_record(client, records, caplog):
    with caplog.at_level(logging.INFO, "cnn_gap.serve"):
        client.post(f"/v1/ecgs?collection={KEY}", files=as_form(*of(records, "SIM0007")))
        client.post("/v1/ecgs?name=Mustermann.dcm", content=b"x")
    figures = client.get("/metrics").text
    assert 'cnn_gap_requests_total{operation="read_ecg",status="422"}' in figures
    assert [record.getMessage().rsplit(" ", 2)[0] for record in caplog.records] == [
        "read_ecg 201",
        "read_ecg 422",
    ]
    for secret in ("SIM0007", "Mustermann", KEY):
        assert secret not in caplog.text + figures


def test_the_document_has_every_operation_and_examples_that_fit(client, records):
    validators = pytest.importorskip("jsonschema_rs")
    document = client.get("/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    told = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    assert told == {(each.method, each.path) for each in OPERATIONS}

    def validator(schema):
        return validators.validator_for({**schema, "components": document["components"]})

    contents = [
        content
        for methods in document["paths"].values()
        for operation in methods.values()
        for answer in operation["responses"].values()
        for content in answer.get("content", {}).values()
        if "example" in content
    ]
    assert len(contents) > len(OPERATIONS)
    for content in contents:
        validator(content["schema"]).validate(content["example"])
    answer = client.post("/v1/ecgs", files=as_form(*of(records, "SIM0008"))).json()
    validator({"$ref": "#/components/schemas/Ecg"}).validate(answer)
    formats = client.get("/v1/formats").json()
    validator({"$ref": "#/components/schemas/Formats"}).validate(formats)


def test_the_page_loads_only_files_that_are_served(client):
    loaded = re.findall(r'(?:src|href)="(?!data:)([^"]+)"', client.get("/").text)
    assert {"app.js", "app.css", "colours.css"} <= set(loaded)
    assert {client.get(f"/{path}").status_code for path in loaded} == {200}


def test_each_colour_is_given_in_one_style_sheet(client):
    colours, app = (client.get(path).text for path in ("/colours.css", "/app.css"))
    reports = {path.name: path.read_text() for path in PAGE_ASSETS.glob("*.css")}
    assert reports["colours.css"] == colours
    given = [name for sheet in (app, *reports.values()) for name in set(re.findall(r"(--[a-z]+): #", sheet))]
    assert len(given) == len(set(given)) > 10
    assert set(re.findall(r"var\((--[a-z]+)\)", app)) <= set(re.findall(r"(--[a-z]+): #", colours + app))


def test_every_answer_has_the_headers_of_safety(client):
    for path in ("/", "/app.js", "/colours.css", "/v1/formats", "/v1/nothing", "/openapi.json"):
        headers = client.get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert "server" not in headers
    assert "unsafe" not in client.get("/").headers["content-security-policy"]
