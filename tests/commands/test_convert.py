"""The command that writes records of any format as Challenge records."""

from types import SimpleNamespace

import numpy as np
import pytest

from cnn_gap.commands import convert
from cnn_gap.io.challenge_records import write_challenge_record
from cnn_gap.io.records import read_record
from cnn_gap.leads import LEADS
from cnn_gap.record import Record
from cnn_gap.simulation import simulate_record, write_simulated
from cnn_gap.simulation.files import DIALECTS
from cnn_gap.system.errors import InputError


@pytest.fixture
def archive(tmp_path):
    """Records in two formats, one name in both, and one that is damaged."""
    folder = tmp_path / "archive"
    for index, name in enumerate(("A1", "A2")):
        write_simulated(
            folder, simulate_record(name, ["426783006"], 257.0, 5.0, seed=index), DIALECTS[index * 8]
        )
    (folder / "A1.csv").write_text("I,II,V1\n" + "0.1234,0.2,-3\n0.3,,0.1\n" * 100)
    (folder / "A1.json").write_text('{"sampling_rate": 128.5, "age": 93, "sex": "F"}')
    (folder / "bad.hea").write_text("bad 1 100 10\nbad.dat 16 200 16 0 0 0 0 I\n")
    (folder / "bad.dat").write_bytes(bytes(4))
    return folder


def run(run_command, *arguments):
    return run_command(SimpleNamespace(__name__="convert", main=convert.COMMAND.main), arguments)


def bytes_of(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_an_archive_becomes_challenge_records(run_command, archive, tmp_path):
    before = bytes_of(archive)
    out = tmp_path / "out"
    (tmp_path / "labels.csv").write_text("file,code\nA1.csv,270492004\nA2,59118001,164889003\nabsent,1\n")
    result = run(run_command, archive, out, "--labels", tmp_path / "labels.csv")
    assert result.code == 0
    assert result.out.startswith("3 converted, of which 1 have no diagnosis; 1 failed")
    assert "bad: " in result.err
    assert "1 listed records are not there, the first is absent" in result.err
    assert bytes_of(archive) == before
    assert sorted(bytes_of(out)) == sorted(
        f"{n}.{s}" for n in ("A1.csv", "A1.hea", "A2") for s in ("hea", "mat")
    )
    for name, source in (("A1.hea", "A1.hea"), ("A1.csv", "A1.csv"), ("A2", "A2.hea")):
        original, copy = read_record(archive / source), read_record(out / f"{name}.hea")
        np.testing.assert_allclose(copy.signal, original.signal, atol=0.5001e-3, rtol=0)
        np.testing.assert_array_equal(copy.leads, original.leads)
        assert copy.sampling_rate == original.sampling_rate
        assert copy.sex == original.sex
    assert read_record(out / "A1.csv.hea").codes == ("270492004",)
    assert read_record(out / "A1.csv.hea").age == 90
    assert read_record(out / "A2.hea").codes == ("59118001", "164889003")
    assert read_record(out / "A1.hea.hea").codes == ()


def test_nothing_is_overwritten(run_command, archive, tmp_path):
    before = bytes_of(archive)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "A2.mat").write_bytes(b"mine")
    result = run(run_command, archive, tmp_path / "out")
    assert (result.code, "A2.mat: is there and stays as it is" in result.err) == (1, True)
    assert bytes_of(tmp_path / "out") == {"A2.mat": b"mine"}
    assert run(run_command, archive, archive).code == 1
    assert bytes_of(archive) == before


@pytest.mark.parametrize(
    ("offset", "scale"), [(0, 1), (0, 60), (300, 1), (-500, 40), (0, 1e-4), (20, 15), (0, 1e6), (3, 0)]
)
def test_any_amplitude_is_read_back_within_half_a_unit(tmp_path, offset, scale):
    signal = np.zeros((50, 12), np.float32)
    signal[:, 1] = offset + scale * np.random.default_rng(1).uniform(-1, 1, 50)
    signal[7, 1] = np.nan
    leads = np.zeros(12, bool)
    leads[1] = True
    header = write_challenge_record(tmp_path, Record("r", signal, leads, 250.5), ())
    copy = read_record(header)
    unit = 1 / float(header.read_text().splitlines()[1].split()[2].partition("(")[0])
    assert unit <= max(1e-3, 1.01 * scale / 32766)
    rounding = 2e-7 * (abs(offset) + scale)  # of float32
    np.testing.assert_allclose(copy.signal[:, 1], signal[:, 1], atol=unit / 2 + rounding, rtol=0)
    assert [lead for lead, there in zip(LEADS, copy.leads, strict=True) if there] == ["II"]


@pytest.mark.parametrize(("name", "scale"), [("a/b", 1), ("a b", 1), ("", 1), ("r", 1e20)])
def test_what_cannot_be_a_challenge_record_is_refused(tmp_path, name, scale):
    signal = scale * np.random.default_rng(1).uniform(-1, 1, (50, 12)).astype(np.float32)
    with pytest.raises(InputError):
        write_challenge_record(tmp_path, Record(name, signal, np.ones(12, bool), 500.0), ())
    assert not list(tmp_path.iterdir())
