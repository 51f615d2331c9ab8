"""HL7 aECG with several sequence sets, and sequences that are no leads."""

import numpy as np
import pytest

from cnn_gap.io.records import read_record
from cnn_gap.leads import LEADS
from cnn_gap.simulation import simulate_record
from cnn_gap.simulation.vendor_files import UNIT_UV
from cnn_gap.simulation.writers import WRITERS
from cnn_gap.system.errors import InputError

pytest.importorskip("ecgdatakit", reason="pip install cnn-gap[formats]")
TOLERANCE = 0.501 * UNIT_UV / 1000


@pytest.fixture(scope="module")
def simulated():
    return simulate_record("S1", ["164889003"], 100.0, 10.0, seed=3)


def sequence_set(simulated, leads, samples, head):
    """Return a sequence set of some leads and samples whose time is the element `head`."""
    counts = np.rint(simulated.signal * 1000 / UNIT_UV).astype(int)[samples]
    sequences = "".join(
        f'<component><sequence><code code="MDC_ECG_LEAD_{lead.upper()}"/><value xsi:type="SLIST_PQ">'
        f'<origin value="0" unit="uV"/><scale value="{UNIT_UV}" unit="uV"/>'
        f"<digits>{' '.join(map(str, counts[:, LEADS.index(lead)]))}</digits></value></sequence></component>"
        for lead in leads
    )
    return (
        f"<component><sequenceSet><component><sequence>{head}</sequence></component>{sequences}"
        "</sequenceSet></component>"
    )


def time(value, code="TIME_ABSOLUTE", unit=""):
    return (
        f'<code code="{code}"/><value xsi:type="GLIST_TS"><head value="{value}" unit="{unit}"/>'
        '<increment value="0.01" unit="s"/></value>'
    )


def written(folder, simulated, *series):
    """Write a file of series, each a text of sequence sets."""
    path = WRITERS["HL7 aECG"](folder, simulated)
    text = path.read_text()
    start, end = text.index("<component><series>"), text.index("</AnnotatedECG>")
    parts = "".join(f'<component><series><code code="RHYTHM"/>{each}</series></component>' for each in series)
    path.write_text(text[:start] + parts + text[end:])
    return path


HEADS = {
    "absolute": [time(f"202103041506{second:06.3f}") for second in (7, 9.5, 12, 14.5)],
    "too many zeros": [time(f"202103041506{second:07.3f}") for second in (7, 9.5, 12, 14.5)],
    "with a zone": [time(f"202103041506{second:06.3f}+0100") for second in (7, 9.5, 12, 14.5)],
    "relative, ms": [time(ms, "TIME_RELATIVE", "ms") for ms in (0, 2500, 5000, 7500)],
    "relative, s": [time(s, "TIME_RELATIVE", "s") for s in (0, 2.5, 5, 7.5)],
}


@pytest.mark.parametrize("several_series", [False, True])
@pytest.mark.parametrize("kind", HEADS)
def test_a_page_of_three_rows_and_four_columns(simulated, tmp_path, kind, several_series):
    sets = [
        sequence_set(simulated, LEADS[3 * part : 3 * part + 3], slice(250 * part, 250 * part + 250), head)
        for part, head in enumerate(HEADS[kind])
    ]
    record = read_record(written(tmp_path, simulated, *(sets if several_series else ["".join(sets)])))
    assert record.signal.shape == (1000, 12)
    for part in range(4):
        here = slice(250 * part, 250 * part + 250), slice(3 * part, 3 * part + 3)
        np.testing.assert_allclose(record.signal[here], simulated.signal[here], atol=TOLERANCE)
    assert np.isfinite(record.signal).sum() == 3000
    assert record.notes[0].startswith("not all leads were recorded at the same time")


def test_limb_leads_and_chest_leads_of_one_time(simulated, tmp_path):
    sets = [
        sequence_set(simulated, leads, slice(None), time("20210304150607")) for leads in (LEADS[:6], LEADS[6:])
    ]
    record = read_record(written(tmp_path, simulated, "".join(sets)))
    np.testing.assert_allclose(record.signal, simulated.signal, atol=TOLERANCE)
    assert record.notes == ()


def test_sets_that_do_not_say_when_they_begin_are_refused(simulated, tmp_path):
    sets = [sequence_set(simulated, leads, slice(None), time("some day")) for leads in (LEADS[:6], LEADS[6:])]
    with pytest.raises(InputError, match=r"S1\.xml: its sequence sets do not say when they begin"):
        read_record(written(tmp_path, simulated, "".join(sets)))


@pytest.mark.parametrize(("unit", "known"), [("uVolt", True), ("microvolts", True), ("adu", False)])
def test_spellings_of_units(simulated, tmp_path, unit, known):
    path = WRITERS["HL7 aECG"](tmp_path, simulated)
    expected = read_record(path).signal
    path.write_text(path.read_text().replace('unit="uV"', f'unit="{unit}"'))
    if known:
        np.testing.assert_allclose(read_record(path).signal, expected, atol=1e-6)
        return
    with pytest.raises(InputError, match="lead I has no unit of voltage; its unit is adu"):
        read_record(path)


def test_sequences_that_are_no_leads_are_named(simulated, tmp_path):
    path = WRITERS["HL7 aECG"](tmp_path, simulated)
    text = path.read_text()
    path.write_text(
        text.replace("MDC_ECG_LEAD_V6", "MDC_PULS_OXIM").replace("MDC_ECG_LEAD_V5", "MDC_ECG_LEAD_V7")
    )
    notes = read_record(path).notes
    assert set(notes) == {
        "left out, as none of the twelve leads: V7",
        "left out, as none of the twelve leads: MDC_PULS_OXIM",
    }
