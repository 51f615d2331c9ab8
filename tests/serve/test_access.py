"""Who may use the service, and how much: tokens, hosts, origins, rates, places, sockets that are slow."""

import socket
import time

import pytest

pytest.importorskip("starlette")

from starlette.requests import Request

from cnn_gap.commands.main import main
from cnn_gap.serve import limits
from cnn_gap.serve.limits import Places, Rates
from cnn_gap.serve.openapi import openapi_document
from cnn_gap.serve.problems import Problem
from cnn_gap.serve.security import LOOPBACK, Access, read_tokens
from cnn_gap.system.errors import InputError

TOKEN = "0123456789abcdef-one"


def request(**headers):
    encoded = [(name.encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "headers": encoded, "client": ("10.0.0.1", 5)})


def refused(function, *arguments):
    with pytest.raises(Problem) as raised:
        function(*arguments)
    return raised.value.response()


def test_a_request_needs_one_of_the_tokens():
    access = Access((TOKEN, TOKEN + "2"))
    assert access.require_token(request(authorization=f"Bearer {TOKEN}2")) == TOKEN + "2"
    for wrong in ("", TOKEN, f"Basic {TOKEN}", f"Bearer {TOKEN}x", "Bearer ", "Bearer ü"):
        answer = refused(access.require_token, request(authorization=wrong))
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert Access().require_token(request()) == "10.0.0.1"
    secured = openapi_document(True)["paths"]["/v1/ecgs"]["post"]
    assert secured["security"] and "401" in secured["responses"]


def test_a_page_of_another_site_is_refused():
    access = Access(hosts=LOOPBACK, origins=frozenset(("https://ecg.example.org",)))
    for host in ("127.0.0.1:8000", "localhost", "[::1]:8000"):
        access.require_host(request(host=host))
    access.require_host(request(host="localhost:8000", origin="http://localhost:8000"))
    access.require_host(request(host="localhost:8000", origin="https://ecg.example.org"))
    assert refused(access.require_host, request(host="evil.example")).status_code == 403
    assert (
        refused(access.require_host, request(host="localhost", origin="https://evil.example")).status_code
        == 403
    )
    assert refused(access.require_host, request(host="localhost", origin="null")).status_code == 403
    Access((TOKEN,)).require_host(request(host="ecg.example.org"))


def test_tokens_are_long_and_there_is_one(tmp_path):
    path = tmp_path / "tokens"
    path.write_text(f"# of the ward\n{TOKEN}\n\n")
    assert read_tokens(path) == (TOKEN,)
    for text in ("", "# none\n", "short\n"):
        path.write_text(text)
        with pytest.raises(InputError, match=r"tokens: (has no|a token has)"):
            read_tokens(path)


def test_other_addresses_need_tokens(monkeypatch):
    monkeypatch.setattr("cnn_gap.classifier.load_classifier", lambda *_: pytest.fail("loaded"))
    with pytest.raises(InputError, match="--token-file"):
        main(["serve", "--host", "0.0.0.0"])


def test_a_client_has_a_rate_and_others_are_not_affected(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(limits.time, "monotonic", lambda: now[0])
    rates = Rates(60)
    for _ in range(10):
        rates.take("one")
    answer = refused(rates.take, "one")
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "1")
    rates.take("other")
    now[0] = 1.0
    rates.take("one")
    assert refused(rates.take, "one").status_code == 429
    for _ in range(1000):
        Rates(0).take("one")


def test_no_more_requests_are_taken_than_there_are_places():
    places = Places(1)
    with places.place():
        answer = refused(places.place().__enter__)
        assert answer.status_code == 503 and int(answer.headers["retry-after"]) > 0
    with places.place():
        pass


def ends_with(service, sent):
    """Send bytes and nothing more, and return what the service answers until it closes the connection."""
    host, port = service.removeprefix("http://").rstrip("/").split(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(sent)
        received = b""
        while part := connection.recv(65536):
            received += part
    return received


HEAD = b"POST /v1/ecgs HTTP/1.1\r\nHost: 127.0.0.1\r\n"


def test_half_a_head_is_closed(service):
    assert ends_with(service, b"") == b""
    assert ends_with(service, HEAD[:30]) == b""


def test_half_a_body_is_answered_in_time(service):
    answer = ends_with(service, HEAD + b"Connection: close\r\nContent-Length: 1000\r\n\r\nhalf")
    assert answer.startswith(b"HTTP/1.1 408") and b"within 2 s" in answer
    form = b"Connection: close\r\nContent-Type: multipart/form-data; boundary=x\r\nContent-Length: 1000\r\n\r\n"
    assert ends_with(service, HEAD + form + b"--x\r\n").startswith(b"HTTP/1.1 408")


def test_a_body_that_announces_ten_gigabytes_is_not_read(service):
    answer = ends_with(service, HEAD + b"Content-Length: 10000000000\r\n\r\n" + bytes(1000))
    assert answer.startswith(b"HTTP/1.1 413")


def test_slow_clients_keep_no_other_waiting(service):
    import httpx

    host, port = service.removeprefix("http://").rstrip("/").split(":")
    slow = [socket.create_connection((host, int(port))) for _ in range(50)]
    for each in slow:
        each.sendall(HEAD + b"Content-Length: 1000\r\n\r\nhalf")
    time.sleep(0.1)
    assert httpx.get(f"{service}readyz").status_code == 200
    for each in slow:
        each.close()
