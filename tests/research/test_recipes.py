"""Configurations that are trained alike, a row each."""

from research import recipes


def test_each_configuration_has_a_row_of_means_and_ranges(records, config_file, tmp_path, run_command):
    other = tmp_path / "other.toml"
    other.write_text(f'base = "{config_file.name}"\n[augmentation]\nmixup = 0.2\n')
    start = [records, records, tmp_path / "out", "--configs"]
    done = run_command(recipes, [*start, config_file, other, "--seeds", 0, 1])
    assert done.code == 0
    rows = [line for line in done.out.splitlines() if line.startswith(("| tiny", "| other"))]
    first, second = [row.split(" | ") for row in rows]
    assert first[1] == second[1] == "2"  # seeds
    assert float(first[3]) > 0  # two seeds, two trainings
    assert float(first[4]) == 0 != float(second[4])  # the difference from the first configuration
    again = run_command(recipes, [*start, config_file])
    assert "epoch" in done.err and "epoch" not in again.err  # a finished training is not repeated
