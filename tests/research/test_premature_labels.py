"""Labels of premature atrial complexes that records do not show."""

from dataclasses import replace

from cnn_gap.simulation import simulate_record, write_simulated
from research import premature_labels


def test_only_labels_without_an_early_beat_are_left_out(tmp_path, run_command):
    regular, early = "426783006", "284470004"
    for name, rhythm, codes in (
        ("counted", regular, ("SVARR", "284470004", "LVH")),
        ("shown", early, ("SVARR", "284470004")),
        ("stated", regular, ("SVARR", "PAC", "284470004")),
        ("other", regular, ("284470004",)),
    ):
        record = simulate_record(name, [rhythm], 100.0, 10.0, seed=3)
        write_simulated(tmp_path, replace(record, codes=codes))
    table = tmp_path / "labels.csv"
    assert run_command(premature_labels, [tmp_path, table]).code == 0
    lines = dict(line.split(",", 1) for line in table.read_text().splitlines())
    assert lines == {
        "record": "codes",
        "counted": "SVARR,LVH",
        "shown": "SVARR,284470004",
        "stated": "SVARR,PAC,284470004",
        "other": "284470004",
    }
