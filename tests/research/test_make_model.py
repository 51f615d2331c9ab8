"""The steps that make a model, without running them."""

from pathlib import Path

from research import make_model


def test_a_table_that_is_there_is_not_made_again(tmp_path, monkeypatch):
    commands = []
    monkeypatch.setattr(make_model, "_run", lambda command: commands.append(list(map(str, command))))
    (tmp_path / "residual-0-TRAIN.parquet").touch()
    make_model.main(["TRAIN", str(tmp_path), "--teacher", "model"])
    *teachers, first, second, pupil = commands
    assert second[second.index("--from") + 1] == first[3] == str(tmp_path / "short")
    assert pupil[pupil.index("--from") + 1] == second[3] == str(tmp_path / "long")
    assert [(each[3], each[each.index("--seed") + 1]) for each in teachers] == [
        ("residual", "1"),
        ("state_space", "0"),
        ("state_space", "1"),
    ]
    taught_by = [pupil[index + 1] for index, word in enumerate(pupil) if word == "--teacher"]
    assert [Path(each).name for each in taught_by] == [
        "model",
        "residual-0-TRAIN.parquet",
        "residual-1-TRAIN.parquet",
        "state_space-0-TRAIN.parquet",
        "state_space-1-TRAIN.parquet",
    ]


def test_a_training_that_is_done_is_not_done_again(tmp_path, monkeypatch):
    commands = []
    monkeypatch.setattr(make_model, "_run", lambda command: commands.append(list(map(str, command))))
    (tmp_path / "short").mkdir()
    (tmp_path / "short" / "model.json").touch()
    for network, seed in make_model.TEACHERS:
        (tmp_path / f"{network}-{seed}-TRAIN.parquet").touch()
    make_model.main(["TRAIN", str(tmp_path)])
    assert [command[3] for command in commands] == [str(tmp_path / name) for name in ("long", "model")]
