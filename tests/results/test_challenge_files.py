"""Result files: written, read in spite of their faults, and gathered by class."""

import numpy as np
import pytest

from cnn_gap.diagnoses.classes import NORMAL_CODE, ClassSet
from cnn_gap.results.challenge_files import gather, read_evaluation, read_outputs, write_outputs
from cnn_gap.system.errors import InputError

PAIR = ClassSet((("a", "b"), (NORMAL_CODE,)), ((1.0, 0.5), (0.5, 1.0)))


def read_text(folder, text: str):
    path = folder / "record.csv"
    path.write_text(text, encoding="utf-8")
    return read_outputs(path)


def write_record(folder, name: str, diagnoses: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.hea").write_text(f"{name} 12 500 5000\n#Age: 50\n{diagnoses}\n#Rx: Unknown\n")


def test_a_file_is_read_as_written(tmp_path):
    path = tmp_path / "new" / "A1.csv"
    probabilities = np.array([0.25, np.nan, 1e-7], dtype=np.float32)
    write_outputs(path, "A1", ("a", "b", "c"), np.array([True, False, False]), probabilities)
    assert path.read_text() == "#A1\na,b,c\n1,0,0\n0.25,nan,1e-07\n"
    outputs = read_outputs(path)
    assert (outputs.name, outputs.codes) == ("A1", ("a", "b", "c"))
    np.testing.assert_array_equal(outputs.labels, [True, False, False])
    np.testing.assert_allclose(outputs.probabilities, probabilities, rtol=1e-5)
    assert [file.name for file in path.parent.iterdir()] == ["A1.csv"]


def test_labels_and_probabilities_in_any_spelling(tmp_path):
    outputs = read_text(
        tmp_path,
        "\n# A1 \n a,b , c,d,e,f,g,h\n\n1,True,true,T, t,TRUE,1.0,\n0.5, nan,x,,1e-3,inf,-1,1_0\n",
    )
    assert (outputs.name, outputs.codes) == ("A1", tuple("abcdefgh"))
    np.testing.assert_array_equal(outputs.labels, [True] * 5 + [False] * 3)
    np.testing.assert_array_equal(outputs.probabilities, [0.5, np.nan, 0, 0, 1e-3, np.inf, -1, 10])


def test_a_file_without_a_name_has_its_own(tmp_path):
    assert read_text(tmp_path, "a\n1\n0.5\n").name == "record"


@pytest.mark.parametrize(
    "text",
    ["", "#A1\n", "#A1\na,b\n1,0\n", "#A1\na,b\n1,0\n0.5\n", "#A1\na,b\n1,0\n0.5,0.5,0.5\n", "a\n1\n1\n1,1\n"],
)
def test_a_malformed_file_has_no_codes(tmp_path, text):
    outputs = read_text(tmp_path, text)
    assert outputs.codes == ()
    assert len(outputs.labels) == len(outputs.probabilities) == 0


def test_a_file_of_bytes_is_malformed(tmp_path):
    path = tmp_path / "record.csv"
    path.write_bytes(bytes(range(256)))
    assert read_outputs(path).codes == ()


def test_gather_joins_equivalents_and_ignores_other_codes(tmp_path):
    files = [
        read_text(tmp_path, f"x,b,a,{NORMAL_CODE}\n1,0,1,0\n0.9,0.2,0.4,nan\n"),
        read_text(tmp_path, f"{NORMAL_CODE},b\n1,0\n0.7,inf\n"),
        read_text(tmp_path, ""),
        read_text(tmp_path, f"x,b,a,{NORMAL_CODE}\n0,0,0,1\n0.9,nan,0.3,0.1\n"),
    ]
    labels, probabilities = gather(files, PAIR)
    np.testing.assert_array_equal(labels, [[True, False], [False, True], [False, False], [False, True]])
    np.testing.assert_allclose(probabilities, [[0.3, 0], [0, 0.7], [0, 0], [0.3, 0.1]])


def test_evaluation_finds_nested_records_in_order_of_names(tmp_path):
    labels, outputs = tmp_path / "labels", tmp_path / "outputs"
    write_record(labels / "z", "A1", "#Dx: b,unknown,")
    write_record(labels, "B2", f"# Dx:{NORMAL_CODE}")
    write_record(labels / "y", "A3", "#Sx: none")
    (labels / ".hidden.hea").write_text("#Dx: a\n")
    for name in ("A1", "A3", "B2"):
        write_outputs(outputs / f"{name}.csv", name, ("a",), np.array([name == "A1"]), np.array([0.5]))
    (outputs / "A3.csv").write_text("a,b\n1\n")
    evaluation = read_evaluation(labels, outputs, PAIR)
    assert evaluation.names == ("A1", "A3", "B2")
    np.testing.assert_array_equal(evaluation.labels, [[True, False], [False, False], [False, True]])
    np.testing.assert_array_equal(evaluation.outputs, [[True, False], [False, False], [False, False]])
    np.testing.assert_array_equal(evaluation.probabilities, [[0.5, 0], [0, 0], [0.5, 0]])
    assert evaluation.malformed == (outputs / "A3.csv",)


def test_missing_result_files_are_counted_and_named(tmp_path):
    for index in range(6):
        write_record(tmp_path, f"A{index}", "#Dx: a")
    write_outputs(tmp_path / "A0.csv", "A0", ("a",), np.array([True]), np.array([0.5]))
    with pytest.raises(InputError, match=r"lacks 5 of 6 .*A1\.csv, A2\.csv, A3\.csv, \.\.\."):
        read_evaluation(tmp_path, tmp_path, PAIR)


def test_labels_may_come_from_a_table(tmp_path):
    for name in ("A1", "A2", "A3"):
        write_record(tmp_path, name, "#Dx: a")
        write_outputs(tmp_path / f"{name}.csv", name, ("a",), np.array([True]), np.array([0.5]))
    evaluation = read_evaluation(tmp_path, tmp_path, PAIR, {"A1": ("b",), "A3": (), "A9": ("a",)})
    assert evaluation.names == ("A1", "A3")
    assert evaluation.labels.tolist() == [PAIR.encode(["b"]).tolist(), [False] * len(PAIR)]


def test_folders_that_cannot_be_evaluated(tmp_path):
    with pytest.raises(InputError, match="nowhere: there is no such folder"):
        read_evaluation(tmp_path / "nowhere", tmp_path, PAIR)
    with pytest.raises(InputError, match="there are no records"):
        read_evaluation(tmp_path, tmp_path, PAIR)
    write_record(tmp_path, "A1", "#Dx: a")
    with pytest.raises(InputError, match="nowhere: is not a folder"):
        read_evaluation(tmp_path, tmp_path / "nowhere", PAIR)
    write_record(tmp_path / "again", "A1", "#Dx: a")
    with pytest.raises(InputError, match=r"lacks 2 of 2 result files \(A1\.csv, again__A1\.csv\)"):
        read_evaluation(tmp_path, tmp_path, PAIR)
