"""Names of leads in the dialects of devices, exports and languages."""

import pytest

from cnn_gap.leads import LEADS, canonical_lead, choose_leads
from cnn_gap.system.errors import InputError

BRAZIL = ["DI", "DII", "DIII", "AVR", "AVL", "AVF", *LEADS[6:]]


@pytest.mark.parametrize(
    "dialect",
    [
        lambda lead: lead.upper(),
        lambda lead: f"  {lead.lower()} ",
        lambda lead: f"Lead {lead}",
        lambda lead: f"MDC_ECG_LEAD_{lead.upper()}",
        lambda lead: f"MDC_ECG_ELEC_POTL_{lead}",
        lambda lead: f"ECG {lead}",
        lambda lead: f"EKG-{lead}",
        lambda lead: f"Ableitung {lead}",
        lambda lead: f"Dérivation {lead}",
        lambda lead: f"Derivação {lead}",
        lambda lead: f"{lead}导联",
        lambda lead: f"Lead {lead} (Einthoven)",
        lambda lead: " ".join(lead),
        lambda lead: lead.replace("III", "Ⅲ"),
    ],
)
def test_dialects(dialect):
    assert [canonical_lead(dialect(lead)) for lead in LEADS] == list(LEADS)
    assert choose_leads([dialect(lead) for lead in LEADS], "A").columns == {index: index for index in range(12)}


def test_names_of_other_leads_stay():
    for name in ("MLII", "vx", "RESP", "ECG", "ECG1", "V", "V7", "V3R", "EEG C3", "II-RA", "IV", "aV"):
        assert canonical_lead(f" {name} ") == name


def test_latin_americas_limb_leads():
    choice = choose_leads(BRAZIL, "A")
    assert list(choice.columns) == list(range(12))
    assert not choice.notes


@pytest.mark.parametrize("name", ["aVR-", "-aVR", "−aVR", "aVR (inverted)", "MDC_ECG_LEAD_aVRneg"])
def test_inverted_avr_counts_where_avr_is_absent(name):
    assert canonical_lead(name) == "-aVR"
    choice = choose_leads(["I", name], "A")
    assert (choice.columns, choice.inverted) == ({0: 0, 3: 1}, {3})
    assert choice.notes == ("lead aVR is stored inverted: its sign is changed",)
    both = choose_leads([name, "aVR"], "A")
    assert (both.columns, both.inverted) == ({3: 1}, frozenset())
    assert both.notes == (f"left out, as none of the twelve leads: {name}",)


def test_chest_leads_of_the_iec():
    chest = [f"C{number}" for number in range(1, 7)]
    assert choose_leads(["I", "II", *chest], "A").columns == {0: 0, 1: 1} | {6 + i: 2 + i for i in range(6)}
    assert choose_leads(["ECG I", "C3", "C4"], "sleep").columns == {0: 0}
    assert choose_leads(["ECG I", *chest, "Cz"], "EEG").columns == {0: 0}
    with pytest.raises(InputError, match="none of the twelve leads; its leads are C1"):
        choose_leads(chest, "EEG")


@pytest.mark.parametrize(("name", "lead"), [("MLII", "II"), ("mV1", "V1"), ("mod. V2", "V2"), ("CM5", "V5")])
def test_monitors_leads_are_taken_for_the_nearest(name, lead):
    choice = choose_leads([name, "V6"], "A")
    assert choice.columns == {LEADS.index(lead): 0, 11: 1}
    assert choice.notes == (f"lead {name} is taken as lead {lead}, which it is nearest to",)
    assert choose_leads([name, lead], "A").columns == {LEADS.index(lead): 1}


@pytest.mark.parametrize("names", [["ECG"], ["ekg"], ["RESP", "ECG"]])
def test_one_lead_named_ecg_is_lead_one(names):
    choice = choose_leads(names, "A")
    assert choice.columns == {0: len(names) - 1}
    assert choice.notes[0] == f"the lead named {names[-1]} is taken as lead I"


def test_what_is_left_out_is_said():
    choice = choose_leads(["I", "vx", "i", "RESP"], "A")
    assert choice.notes == (
        "lead I is given twice: the first counts",
        "left out, as none of the twelve leads: vx, RESP",
    )
    assert choose_leads(["I", "V1"], "A", wanted=["V1"]).columns == {6: 1}
    for names in (["ECG", "ECG"], ["ECG1", "ECG2"], []):
        with pytest.raises(InputError, match="none of the twelve leads"):
            choose_leads(names, "A")
