"""Diagnoses: their names, and which codes are one class."""

import pytest

from cnn_gap.diagnoses.classes import EQUIVALENT_CODES, diagnosis, known_diagnoses, read_weights
from cnn_gap.system.errors import InputError


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("270492004", "1st degree AV block"),
        ("251146004", "Low QRS voltages"),
        ("164917005", "Q wave abnormal"),
        ("164947007", "Prolonged PR interval"),
        ("164934002", "T wave abnormal"),
        ("426783006", "Sinus rhythm"),
        ("55930002", "ST changes"),
        ("74390002", "Wolff-Parkinson-White pattern"),
    ],
)
def test_people_read_capitals_where_cardiology_has_them(code, name):
    assert diagnosis(code).name == name


def test_no_name_has_a_wave_or_an_interval_in_lower_case():
    words = {word for known in known_diagnoses().values() for word in known.name.split()}
    assert not words & {"av", "qrs", "pr", "qt", "st", "p", "q", "r", "t", "u", "ecg", "qwave"}


def test_a_code_that_is_not_known_stands_for_itself():
    assert diagnosis("1").name == "1"


def table(path, names, values=None):
    lines = [",".join(["", *names])]
    lines += [
        ",".join(
            [
                name,
                *(str((values or {}).get((row, column), int(row == column))) for column in range(len(names))),
            ]
        )
        for row, name in enumerate(names)
    ]
    path.write_text("\n".join(lines) + "\n")
    return path


def test_equivalent_codes_on_rows_of_their_own_are_one_class_with_the_first_ones_rewards(tmp_path):
    first, other = EQUIVALENT_CODES[0]
    path = table(tmp_path / "weights.csv", ["1", other, first], {(2, 0): 0.25, (1, 0): 0.75, (0, 2): 0.5})
    classes = read_weights(path)
    assert classes.classes == (("1",), (first, other))
    assert classes.weights == ((1.0, 0.5), (0.25, 1.0))


def test_one_of_two_equivalents_alone_stays_as_it_is(tmp_path):
    _, other = EQUIVALENT_CODES[0]
    assert read_weights(table(tmp_path / "weights.csv", ["1", other])).classes == (("1",), (other,))


def test_a_code_that_is_listed_twice_is_named_with_the_file(tmp_path):
    path = table(tmp_path / "weights.csv", ["1|2", "2"])
    with pytest.raises(InputError, match=r"weights\.csv: a class code is listed twice"):
        read_weights(path)
