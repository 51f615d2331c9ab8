"""Explained records are drawn to scale, with everything named, and saved whole."""

import re
from dataclasses import replace
from functools import cache

import matplotlib
import numpy as np
import pytest
from matplotlib.text import Text
from pypdf import PdfReader

from cnn_gap.beats.intervals import Measurements
from cnn_gap.diagnoses.classes import diagnosis
from cnn_gap.explain.explanation import ExplainedClass, Explanation, Region
from cnn_gap.leads import LEADS
from cnn_gap.record import Record
from cnn_gap.report.figures import plot, save_figure, save_figures
from cnn_gap.report.layouts import Layout, page_starts, place_rows
from cnn_gap.report.lead_figure import plot_leads
from cnn_gap.report.sheet.map_page import plot_sheet
from cnn_gap.report.sheet.paper import START
from cnn_gap.report.sheet.report import SheetOptions
from cnn_gap.simulation import simulate_record
from cnn_gap.system.errors import InputError

PAC = ("284470004", "63593006")
WHOLE = SheetOptions(every_page=True)
REST = -0.4  # where the made-up map sees nothing


@cache
def explain(seconds=10.0, rate=500.0):
    """Return a simulated record with a map that is a hill on each premature beat, its regions above 0.5."""
    simulated = simulate_record("A0001", [PAC[0]], rate, seconds, seed=3)
    times = np.arange(len(simulated.signal)) / rate
    middles = [(event.start_s + event.end_s) / 2 for event in simulated.events if event.kind == "PAC"]
    heights = np.linspace(1.5, 2.0, len(middles))
    hills = zip(middles, heights, strict=True)
    activation = REST + sum(high * np.exp(-(((times - middle) / 0.2) ** 2)) for middle, high in hills)
    widths = 0.2 * np.sqrt(np.log(heights / (0.5 - REST)))
    regions = tuple(
        Region(max(middle - width, 0), min(middle + width, seconds), 1.0)
        for middle, width in zip(middles, widths, strict=True)
    )
    assert regions
    record = Record("A0001", simulated.signal, np.ones(12, bool), rate, age=63.0, sex="Male")
    about = diagnosis(PAC[0])
    explained = ExplainedClass(about, PAC, 0.873, 0.412, True, activation.astype("f"), 0.5, regions)
    return Explanation(record, (explained,), 0.04, 1.2, 0.02)


def shortened(explanation, seconds):
    count = round(seconds * explanation.record.sampling_rate)
    record = replace(explanation.record, signal=explanation.record.signal[:count])
    explained = explanation.classes[0]
    regions = tuple(region for region in explained.regions if region.end_s <= seconds)
    explained = replace(explained, activation=explained.activation[:count], regions=regions)
    return replace(explanation, record=record, classes=(explained,))


def with_signal(explanation, signal, **others):
    return replace(explanation, record=replace(explanation.record, signal=signal, **others))


def sheet(explanation, **options):
    return plot_sheet(explanation, explanation.classes[0], **options)


@cache
def plain_sheet():
    """Return a sheet that tests only look at."""
    return sheet(explain())


def page_of(figure):
    """Return the axes over the page, whose data are millimetres."""
    (page,) = (axes for axes in figure.axes if axes.get_label() == "page")
    return page


def labelled(axes, label):
    (found,) = (line for line in axes.lines if line.get_label() == label)
    return found


def line_of(figure, label):
    return labelled(page_of(figure), label)


def names_of(figure):
    """Return the names of the leads that are drawn."""
    labels = [line.get_label() for line in page_of(figure).lines]
    return [label for label in labels if label.removeprefix("-") in (*LEADS, "rhythm")]


def baseline(figure, name):
    """Return the height of a lead's median, mm: that of a calibration pulse where each row has one."""
    median = float(np.nanmedian(line_of(figure, name).get_ydata()))
    pulses = [line.get_ydata() for line in page_of(figure).lines if line.get_label() == "calibration"]
    rows = [float(np.nanmin(pulse)) for pulse in pulses] if len(pulses) > 1 else [median]
    return min(rows, key=lambda row: abs(row - median))


def tracing(figure, name, start=0.0, speed=25.0, gain=10.0):
    """Return the times (s) and voltages (mV) of a lead's line, with a sample more at each end."""
    x, y = line_of(figure, name).get_data()
    return start + (x - START) / speed, (y - baseline(figure, name)) / gain


def place_of(figure, name):
    """Return the left, lower, right and upper end of a lead's place, mm."""
    box = line_of(figure, name).get_clip_box()
    return np.round(page_of(figure).transData.inverted().transform(box).ravel(), 6)


def words(figure):
    return [text.get_text() for text in figure.findobj(Text) if text.get_text()]


def inches(axes, *points):
    return axes.transData.transform(points) / axes.figure.dpi


def map_image(figure):
    (found,) = (image for image in page_of(figure).images if image.get_label() == "map")
    return found


def seconds_of_millimetres(x, start=0.0):
    """Return the time at x mm of the page at 25 mm/s."""
    return start + (x - START) / 25


def test_a_second_is_25_mm_and_a_millivolt_10_mm_in_every_lead():
    record, figure = explain().record, plain_sheet()
    assert np.allclose(inches(page_of(figure), (0, 0), (1, 1)) * 25.4, [(0, 0), (1, 1)])
    for name in (*LEADS, "rhythm"):
        x, y = line_of(figure, name).get_data()
        np.testing.assert_allclose(np.diff(x), 25 / record.sampling_rate, err_msg=name)
        signal = record.signal[:, LEADS.index("II" if name == "rhythm" else name)]
        samples = np.round(seconds_of_millimetres(x) * record.sampling_rate).astype(int)
        np.testing.assert_allclose(np.ptp(y), 10 * np.ptp(signal[samples]), rtol=1e-4, err_msg=name)


def test_grid_is_of_millimetres_and_baselines_and_seconds_lie_on_it():
    figure = plain_sheet()
    fine, coarse = page_of(figure).lines[:2]
    for line, step in ((fine, 1), (coarse, 5)):
        across = np.unique(line.get_xdata()[~np.isnan(line.get_xdata())])
        np.testing.assert_allclose(np.diff(across), step)
    corner = np.array([np.nanmin(coarse.get_xdata()), np.nanmin(coarse.get_ydata())])
    for name in (*LEADS, "rhythm"):
        left, height = np.array([place_of(figure, name)[0], baseline(figure, name)]) - corner
        assert height % 5 == pytest.approx(0, abs=1e-6) or height % 5 == pytest.approx(5, abs=1e-6)
        assert (left + 1e-5) % 2.5 < 1e-4


def test_calibration_pulses_are_a_millivolt_for_a_fifth_of_a_second():
    pulses = [line for line in page_of(plain_sheet()).lines if line.get_label() == "calibration"]
    assert len(pulses) == 4
    for pulse in pulses:
        x, y = (values[~np.isnan(values)] for values in pulse.get_data())
        assert np.ptp(y) == 10
        assert np.ptp(x[y == y.max()]) == 5


def baselines(figure):
    """Return the height of each lead's median, mm."""
    return {name: baseline(figure, name) for name in names_of(figure)}


def test_three_rows_of_four_leads_follow_each_other_in_time_over_ten_seconds_of_rhythm():
    figure = plain_sheet()
    heights = baselines(figure)
    rows = [row.split() for row in ("I aVR V1 V4", "II aVL V2 V5", "III aVF V3 V6")]
    for row in rows:
        assert len({round(heights[lead], 6) for lead in row}) == 1
        for column, lead in enumerate(row):
            ends = seconds_of_millimetres(place_of(figure, lead)[[0, 2]])
            assert ends == pytest.approx((2.5 * column, 2.5 * column + 2.5))
    order = [heights[row[0]] for row in rows] + [heights["rhythm"]]
    assert order == sorted(order, reverse=True)
    assert seconds_of_millimetres(place_of(figure, "rhythm")[[0, 2]]) == pytest.approx((0, 10))
    shown = words(figure)
    assert all(shown.count(lead) == (2 if lead == "II" else 1) for lead in LEADS)
    assert "25 mm/s, 10 mm/mV" in shown


@pytest.mark.parametrize(
    ("rows", "speed", "gain", "cabrera"),
    [
        ("3x4", 50.0, 5.0, True),
        ("6x2", 25.0, 20.0, False),
        ("6x2", 50.0, 10.0, True),
        ("12x1", 25.0, 5.0, True),
    ],
)
def test_every_layout_is_to_scale_and_has_every_lead_once(rows, speed, gain, cabrera):
    figure = sheet(explain(), layout=Layout(rows, speed, gain, cabrera), start_s=0.0)
    names = [name for name in names_of(figure) if name != "rhythm"]
    assert sorted(name.removeprefix("-") for name in names) == sorted(LEADS)
    assert ("-aVR" in names) == cabrera
    assert ("rhythm" in names_of(figure)) == (rows == "3x4")
    across = len(names) // int(rows.split("x")[0])
    for name in names:
        left, _, right, _ = place_of(figure, name)
        assert right - left == pytest.approx(250 / across)
        times, values = tracing(figure, name, speed=speed, gain=gain)
        record = explain().record
        samples = np.round(times * record.sampling_rate).astype(int)
        expected = record.signal[samples, LEADS.index(name.removeprefix("-"))]
        np.testing.assert_allclose(np.diff(times), 1 / record.sampling_rate)
        np.testing.assert_allclose(np.ptp(values), np.ptp(expected), rtol=1e-4)
    assert any(f"{speed:g} mm/s, {gain:g} mm/mV" in text for text in words(figure))


def test_cabreras_order_turns_avr_over():
    figure, standard = (sheet(explain(), layout=Layout("12x1", cabrera=cabrera)) for cabrera in (True, False))
    heights = [baseline(figure, name) for name in ("aVL", "I", "-aVR", "II", "aVF", "III")]
    assert heights == sorted(heights, reverse=True)
    np.testing.assert_allclose(tracing(figure, "-aVR")[1], -tracing(standard, "aVR")[1], atol=1e-5)


@pytest.mark.parametrize("values", [{"rows": "4x3"}, {"speed": 12.5}, {"gain": 1.0}])
def test_other_layouts_are_refused(values):
    with pytest.raises(InputError, match=r"a sheet's \w+ must be one of .*; received"):
        Layout(**values)


def test_a_layout_may_be_named_by_its_rows():
    labels, expected = (names_of(plot(explain(), layout=layout)) for layout in ("6x2", Layout("6x2")))
    assert labels == expected != names_of(plot(explain()))
    with pytest.raises(InputError, match="must be one of 3x4, 6x2, 12x1; received 2x6"):
        plot(explain(), layout="2x6")


def test_notebooks_show_figures_as_pictures():
    for figure in (plot(explain()), plot(explain(), leads=["II"])):
        assert figure._repr_png_().startswith(b"\x89PNG")


def test_tracings_are_the_leads_around_their_medians():
    explanation = explain()
    for lead, expected in zip(LEADS, explanation.record.signal.T, strict=True):
        times, values = tracing(plain_sheet(), lead)
        samples = np.round(times * explanation.record.sampling_rate).astype(int)
        np.testing.assert_allclose(values, expected[samples] - np.median(expected), atol=1e-5, err_msg=lead)


def test_title_tells_diagnosis_code_probability_threshold_answer_and_record():
    text = "\n".join(words(plain_sheet()))
    for wanted in (
        "Premature atrial contraction (PAC)",
        "284470004, 63593006",
        "Probability 0.873 ≥ threshold 0.412: reported",
        "A0001, 63 years, male",
        "0 s to 10 s of 10 s, 500 Hz",
    ):
        assert wanted in text


@pytest.mark.parametrize(
    ("threshold", "label", "wanted"),
    [
        (None, False, "Probability 0.873, no threshold: never reported"),
        (0.9, False, "Probability 0.873 < threshold 0.900: below threshold"),
        (0.9, True, "Probability 0.873 < threshold 0.900: reported, as nearest to its threshold"),
    ],
)
def test_title_tells_what_is_not_reported(threshold, label, wanted):
    explanation = explain()
    explained = replace(explanation.classes[0], threshold=threshold, label=label)
    for draw in (plot_sheet, plot_leads):
        assert any(wanted in text for text in words(draw(explanation, explained)))


def test_code_without_a_name_stands_once_in_the_title():
    explanation = explain()
    shown = words(plot_sheet(explanation, replace(explanation.classes[0], diagnosis=diagnosis("123"))))
    assert "123" in shown


def test_brackets_mark_the_regions_in_every_row():
    explanation = explain()
    figure = plain_sheet()
    line = line_of(figure, "regions")
    x, y = (values[~np.isnan(values)].reshape(-1, 4) for values in line.get_data())
    regions = explanation.classes[0].regions
    assert len(np.unique(y.max(axis=1))) == 4
    drawn = {tuple(seconds_of_millimetres(at).round(6) for at in (each[0], each[-1])) for each in x}
    assert len(x) == 4 * len(drawn)
    expected = [(region.start_s, region.end_s) for region in regions]
    np.testing.assert_allclose(sorted(drawn), expected, atol=1e-5)


def test_map_is_coloured_where_it_stands_under_the_rhythm_strip():
    figure = plain_sheet()
    image = map_image(figure)
    left, right, *_ = image.get_extent()
    assert [seconds_of_millimetres(x) for x in (left, right)] == pytest.approx([0, 10])
    shown = np.asarray(image.get_array())[0]
    colours = image.to_rgba(shown)
    assert (colours[shown <= 0] == 1).all()
    assert (colours[shown > 60][:, 0] < 0.5).all()


def test_map_behind_the_tracings_spares_what_speaks_against_the_class():
    behind, _ = page_of(plain_sheet()).images
    colours = behind.to_rgba(np.array([REST, np.nan, 1.0]))
    assert colours[0, 3] == colours[1, 3] == 0
    assert colours[2, 3] == 1
    assert 0.3 <= behind.get_alpha() <= 0.6


def test_colours_darken_evenly_with_the_map():
    image = map_image(plain_sheet())
    red, green, blue, _ = image.cmap(np.linspace(0, 1, 256)).T
    lightness = 0.2126 * red**2.2 + 0.7152 * green**2.2 + 0.0722 * blue**2.2
    assert (np.diff(lightness) < 0).all()
    assert lightness[0] > 0.9
    assert lightness[-1] < 0.1


def test_scale_is_in_percent_of_the_highest_activation():
    explanation = explain()
    explained = explanation.classes[0]
    figure = plain_sheet()
    highest = explained.activation.max()
    (scale,) = (axes for axes in figure.axes if axes.get_label() == "scale")
    assert scale.get_xlim() == pytest.approx((0, 100))
    expected = np.interp((np.arange(1000) + 0.5) / 100, explanation.times, explained.activation)
    np.testing.assert_allclose(np.asarray(map_image(figure).get_array())[0], 100 * expected / highest)
    assert f"regions from {50 / highest:.0f} %" in words(figure)
    assert not any("logit" in text for text in words(figure))


def test_map_nowhere_above_0_is_blank_and_the_scale_says_so():
    explanation = explain()
    against = replace(
        explanation.classes[0], activation=explanation.classes[0].activation - 9, level=0.0, regions=()
    )
    figure = plot_sheet(explanation, against)
    assert "nothing speaks for the diagnosis" in words(figure)
    assert not any("Brackets" in text for text in words(figure))
    image = map_image(figure)
    assert (image.to_rgba(image.get_array()) == 1).all()


def with_leads(explanation, *names):
    leads = np.isin(LEADS, names)
    return with_signal(explanation, np.where(leads, explanation.record.signal, 0), leads=leads)


def test_absent_leads_are_named_as_not_recorded_and_not_drawn():
    figure = sheet(with_leads(explain(), "I", "III", "aVR", "aVL", "V1", "V5", "V6"))
    assert words(figure).count("not recorded") == 5
    for lead in LEADS:
        assert np.isnan(line_of(figure, lead).get_ydata()).all() == (lead in ("II", "aVF", "V2", "V3", "V4"))
    assert words(figure).count("V1") == 2, "the rhythm strip shows a lead that is recorded"
    times, values = tracing(figure, "V1")
    np.testing.assert_allclose(np.interp(times, *tracing(figure, "rhythm")), values, atol=1e-4)


@pytest.mark.parametrize("leads", [("I", "V5"), ("II",), ("I", "II", "III", "aVR", "aVL", "aVF")])
def test_of_few_leads_each_is_shown_for_the_whole_time(leads):
    figure = sheet(with_leads(explain(), *leads))
    assert names_of(figure) == list(leads)
    for lead in leads:
        assert seconds_of_millimetres(place_of(figure, lead)[[0, 2]]) == pytest.approx((0, 10))
    heights = [baseline(figure, lead) for lead in leads]
    assert heights == sorted(heights, reverse=True)
    assert "not recorded" not in words(figure)


def test_samples_that_are_not_valid_are_gaps():
    explanation = explain()
    signal = explanation.record.signal.copy()
    signal[1000:1500] = np.nan
    signal[:, LEADS.index("V6")] = np.nan
    figure = sheet(with_signal(explanation, signal))
    times, values = tracing(figure, "rhythm")
    np.testing.assert_array_equal(np.isnan(values), (times >= 2) & (times < 3))
    assert words(figure).count("no valid samples") == 1


def test_rows_have_the_room_that_their_tracings_take():
    explanation = explain()
    large = explanation.record.signal * np.where(np.isin(LEADS, ("V1", "V4")), 3, 1)
    before, after = (
        baselines(figure) for figure in (plain_sheet(), sheet(with_signal(explanation, large.astype("f"))))
    )
    assert before["I"] - before["II"] < after["I"] - after["II"]
    rows = place_rows([(5, 5), (40, 5), (5, 5)], 0, 120)
    assert [row.baseline % 5 for row in rows] == [0, 0, 0]
    assert rows[0].baseline - rows[1].baseline > 45 > rows[1].baseline - rows[2].baseline
    assert [row.top for row in rows[1:]] == [row.bottom for row in rows[:-1]]


def test_cut_tracings_are_marked_and_others_are_not():
    explanation = explain()
    assert not [line for line in page_of(plain_sheet()).lines if "is cut" in str(line.get_label())]
    signal = explanation.record.signal.copy()
    signal[2750:2760, LEADS.index("V1")] += 30
    signal[3100:3110, LEADS.index("V1")] -= 30
    figure = sheet(with_signal(explanation, signal))
    marks = [line for line in page_of(figure).lines if "is cut" in str(line.get_label())]
    assert {line.get_label() for line in marks} == {"V1 is cut"}
    assert [line.get_marker() for line in marks] == ["^", "v"]
    times = [seconds_of_millimetres(line.get_xdata()[0]) for line in marks]
    assert times == pytest.approx([5.5, 6.2], abs=0.01)


def test_tracings_stay_on_the_grid(tmp_path):
    explanation = explain()
    wander = 30 * np.sin(explanation.times)[:, None]
    figure = sheet(with_signal(explanation, (explanation.record.signal + wander).astype("f")))
    low, high = page_of(figure).lines[1].get_ydata()[[0, 1]]
    for name in (*LEADS, "rhythm"):
        _, bottom, _, top = place_of(figure, name)
        assert low <= bottom < top <= high
    save_figure(figure, tmp_path / "sheet.svg")


def test_three_seconds_leave_the_rest_of_the_sheet_empty():
    explanation = shortened(explain(), 3.0)
    figure = sheet(explanation)
    assert tracing(figure, "rhythm")[0][-1] == pytest.approx(2.998)
    assert "not recorded" not in words(figure)
    assert "no valid samples" not in words(figure)
    assert "3 s" in words(figure)
    assert "4 s" not in words(figure)
    shown = np.ma.filled(map_image(figure).get_array()[0], np.nan)
    assert np.isfinite(shown[:299]).all()
    assert np.isnan(shown[301:]).all()


def test_long_records_show_the_part_with_most_of_the_map_or_start_where_asked():
    explanation = explain(70.0, 1000.0)
    activation = np.clip(explanation.classes[0].activation, 0, None).reshape(70, -1).sum(axis=1)
    held = np.convolve(activation, np.ones(10), "valid")
    assert held.max() > 1.3 * held[0]
    figure = sheet(explanation)
    best = held.argmax()
    assert any(
        f"{best} s to {best + 10} s of 70 s, the part that speaks most for premature atrial contraction" in text
        for text in words(figure)
    )
    assert tracing(figure, "rhythm", start=best)[0][0] == pytest.approx(best, abs=0.002)
    figure = sheet(explanation, start_s=12.5)
    assert seconds_of_millimetres(place_of(figure, "V4")[[0, 2]], start=12.5) == pytest.approx((20.0, 22.5))
    assert "13 s" in words(figure)
    assert any("12.5 s to 22.5 s of 70 s, 1000 Hz" in text for text in words(figure))
    np.testing.assert_allclose(
        np.asarray(map_image(figure).get_array())[0],
        100
        * np.interp(12.505 + np.arange(1000) / 100, explanation.times, explanation.classes[0].activation)
        / explanation.classes[0].activation.max(),
    )


def test_overview_of_long_records_frames_what_is_shown():
    assert not [line for line in page_of(plain_sheet()).lines if line.get_label() == "shown"]
    figure = sheet(explain(70.0, 1000.0), start_s=20.0)
    (whole,) = (image for image in page_of(figure).images if image.get_label() == "overview")
    left, right, *_ = whole.get_extent()
    frame = line_of(figure, "shown").get_xdata()
    ends = 70 * (np.array([np.nanmin(frame), np.nanmax(frame)]) - left) / (right - left)
    np.testing.assert_allclose(ends, (20, 30))


@pytest.mark.parametrize(
    ("seconds", "last", "pages"),
    [(3, 0, 1), (10, 0, 1), (10.3, 0, 1), (10.6, 0.6, 2), (19.9, 9.9, 2), (30, 20, 3), (144, 134, 15)],
)
def test_records_have_full_pages_of_ten_seconds(seconds, last, pages):
    starts = page_starts(seconds, 10)
    assert starts[:-1] == [10.0 * page for page in range(pages - 1)]
    assert starts[-1] == pytest.approx(last)


def test_the_sheet_says_what_a_reader_must_know():
    explanation = replace(
        explain(),
        reported=(diagnosis("164889003"), diagnosis(PAC[0])),
        unseen=(diagnosis("427172004"),),
        highest_hz=40.0,
        notes=("lead V2 is flat",),
    )
    text = "\n".join(words(sheet(explanation)))
    for wanted in (
        "Reported of it: AF, PAC",
        "Never learned and so never reported: Premature ventricular contractions",
        "The network sees nothing above 40 Hz",
        "Lead V2 is flat",
        "For research only, not for diagnosis",
    ):
        assert wanted in text
    assert "Rate 7" in text
    assert "PR 1" not in text, "atrial fibrillation has no PR interval"
    assert "PR 1" in "\n".join(words(plain_sheet()))


def test_the_sheet_says_that_nothing_was_measured():
    explanation = explain()
    measured = Measurements(beats=None)
    text = "\n".join(words(sheet(explanation, measured=measured)))
    assert "Measured automatically: nothing that can be trusted" in text


@pytest.mark.parametrize("start", [-1, 10, np.nan])
def test_sheet_cannot_start_outside_of_the_record(start):
    with pytest.raises(InputError, match=r"A0001: has 10 s; a sheet cannot start at"):
        sheet(explain(), start_s=start)


def test_high_rates_are_thinned_but_a_spike_keeps_its_height(tmp_path):
    explanation = explain(70.0, 1000.0)
    signal = np.random.default_rng(0).normal(0, 0.02, (70_000, 12)).astype("f")
    signal[30_001] = 2
    signal[30_501:30_600] = np.nan
    figure = sheet(with_signal(explanation, signal), start_s=28.0)
    times, values = tracing(figure, "rhythm", start=28.0)
    assert len(times) <= 5010
    assert (np.diff(times) >= 0).all()
    assert times[np.nanargmax(values)] == pytest.approx(30.001)
    assert np.isnan(values[(times > 30.505) & (times < 30.595)]).all()
    assert np.isfinite(values[(times < 30.495) | (times > 30.605)]).all()
    save_figure(figure, tmp_path / "sheet.svg")
    assert (tmp_path / "sheet.svg").stat().st_size < 700_000


@pytest.mark.parametrize("leads", [("II",), ("v1", "AVR", "II")])
def test_leads_over_their_map_are_red_in_the_regions_alone(leads):
    explanation = explain()
    explained = explanation.classes[0]
    figure = plot_leads(explanation, explained, leads)
    *panels, below = figure.axes
    assert len(panels) == len(leads)
    inside = np.zeros(len(explanation.times), bool)
    for region in explained.regions:
        inside |= (explanation.times >= region.start_s) & (explanation.times <= region.end_s)
    for panel, lead in zip(panels, leads, strict=True):
        name = next(each for each in LEADS if each.lower() == lead.lower())
        assert panel.get_ylabel() == f"{name} (mV)"
        whole, marked = labelled(panel, name), labelled(panel, f"{name} in regions")
        np.testing.assert_array_equal(np.isfinite(marked.get_ydata()), inside)
        assert marked.get_linewidth() > whole.get_linewidth(), "seen without colour too"
        assert marked.get_color() == "#c8102e"
        shades = [patch for patch in panel.patches if patch.get_label() == "region"]
        assert [shade.get_x() for shade in shades] == [region.start_s for region in explained.regions]
    np.testing.assert_array_equal(labelled(below, "map").get_ydata(), explained.activation)
    assert labelled(below, "level").get_ydata()[0] == 0.5
    assert all(panel.get_xlim() == (0, 10) for panel in figure.axes)


def test_one_lead_can_be_named_plainly_and_by_the_explanation():
    explanation = explain()
    assert len(plot_leads(explanation, explanation.classes[0], "II").axes) == 2
    assert len(plot(explanation, "pac", leads=["V1", "V2"]).axes) == 3
    assert "rhythm" in names_of(plot(explanation))


def test_absent_lead_over_its_map_is_not_recorded():
    explanation = with_signal(explain(), explain().record.signal, leads=~np.isin(LEADS, "V2"))
    figure = plot_leads(explanation, explanation.classes[0], ["V2"])
    assert "not recorded" in words(figure)
    assert not figure.axes[0].lines


@pytest.mark.parametrize(("leads", "message"), [(("II", "V9"), "V9: cannot be drawn"), ((), "no lead: cannot")])
def test_unknown_lead_is_named(leads, message):
    with pytest.raises(InputError, match=message):
        plot_leads(explain(), explain().classes[0], leads)


@pytest.mark.parametrize(("suffix", "magic"), [(".png", b"\x89PNG"), (".SVG", b"<?xml"), (".pdf", b"%PDF")])
def test_figures_are_saved_in_the_format_of_the_suffix_with_the_same_bytes(tmp_path, suffix, magic):
    for name in ("first", "second"):
        save_figure(sheet(explain()), tmp_path / (name + suffix))
    first, second = ((tmp_path / (name + suffix)).read_bytes() for name in ("first", "second"))
    assert first.startswith(magic)
    assert first == second


def test_saved_page_is_a4_with_text_whatever_the_users_settings(tmp_path):
    with matplotlib.rc_context({"savefig.bbox": "tight", "svg.fonttype": "path"}):
        before = dict(matplotlib.rcParams)
        save_figure(plain_sheet(), tmp_path / "sheet.svg")
        save_figure(plain_sheet(), tmp_path / "sheet.pdf")
        assert dict(matplotlib.rcParams) == before
    text = (tmp_path / "sheet.svg").read_text("utf-8")
    assert 'width="841.889764pt" height="595.275591pt"' in text
    assert "Premature atrial contraction (PAC)</text>" in text
    assert text.count(">II</text>") == 2
    assert "<dc:date>" not in text
    box = re.search(rb"/MediaBox \[ *([^]]*)\]", (tmp_path / "sheet.pdf").read_bytes())
    assert [float(number) for number in box[1].split()] == pytest.approx([0, 0, 841.8898, 595.2756])


def test_any_name_can_be_drawn(tmp_path):
    explanation = explain()
    record = replace(explanation.record, name="$x_1$ & 心電図 \udcff")
    figure = sheet(replace(explanation, record=record))
    save_figure(figure, tmp_path / "sheet.svg")
    assert "$x_1$ &amp; 心電図 \N{REPLACEMENT CHARACTER}" in (tmp_path / "sheet.svg").read_text("utf-8")


def test_every_file_carries_its_diagnosis_where_there_are_several(tmp_path):
    explanation = explain()
    same = replace(explanation.classes[0].diagnosis, system="SCP-ECG", code="PAC")
    others = [same, replace(same, abbreviation="A/B (2)", code="X")]
    several = (explanation.classes[0], *(replace(explanation.classes[0], diagnosis=each) for each in others))
    written = save_figures(replace(explanation, classes=several), tmp_path / "a.svg", named=True)
    assert [path.name for path in written] == ["a-PAC.svg", "a-PAC-SCP-ECG.svg", "a-A_B_(2).svg"]
    assert sorted(tmp_path.iterdir()) == sorted(written)
    assert [path.name for path in save_figures(explanation, tmp_path / "a.svg", named=True)] == ["a.svg"]


def test_every_page_of_a_long_record_is_drawn_on_request(tmp_path):
    explanation = shortened(explain(70.0, 1000.0), 15.0)
    (path,) = save_figures(explanation, tmp_path / "a.pdf", WHOLE, named=True)
    assert len(PdfReader(path).pages) == 2 + 2
    for named in (True, False):
        written = save_figures(explanation, tmp_path / "a.svg", WHOLE, named=named)
        assert [path.name for path in written] == ["a-p01.svg", "a-p02.svg"]


@pytest.mark.parametrize("name", ["sheet.jpg", "sheet"])
def test_other_suffixes_are_refused(tmp_path, name):
    with pytest.raises(InputError, match=rf"{name}: pictures are written as \.png, \.svg, \.pdf"):
        save_figure(plain_sheet(), tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_failure_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "sheet.svg"
    path.write_text("old")
    figure = sheet(explain())

    def fail(aside, **_):
        aside.write_text("half")
        raise RuntimeError("disk")

    monkeypatch.setattr(figure, "savefig", fail)
    with pytest.raises(RuntimeError, match="disk"):
        save_figure(figure, path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
