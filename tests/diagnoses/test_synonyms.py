"""The words by which people search for diagnoses."""

import csv
from pathlib import Path

from cnn_gap.diagnoses import synonyms
from cnn_gap.diagnoses.classes import read_weights
from cnn_gap.diagnoses.findings import read_findings
from cnn_gap.diagnoses.synonyms import search_words
from cnn_gap.reading.statements import statement_rules


def test_each_synonym_is_of_an_output_or_a_statement():
    known = {code for codes in read_weights().classes for code in codes}
    known |= {code for finding in read_findings("scp") for code in finding.codes}
    known |= {code for rule in statement_rules() for code in (rule.key, *rule.outputs)}
    with (Path(synonyms.__file__).parent / "synonyms.csv").open(encoding="utf-8") as file:
        codes = [code for row in csv.DictReader(file) for code in row["codes"].split("|")]
    assert set(codes) <= known
    assert len(set(codes)) == len(codes)


def test_a_diagnosis_is_named_in_both_code_systems():
    words = search_words(("164889003", "AFIB"))
    assert {"164889003", "AFIB", "AF", "Atrial fibrillation", "A-fib"} <= set(words)
    assert len(set(words)) == len(words)


def test_an_unknown_code_finds_itself():
    assert search_words(("1",)) == ("1",)
