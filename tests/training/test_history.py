"""The figures of epochs: how they are kept, and which epoch is the best."""

from cnn_gap.training.checkpoints import COLUMNS
from cnn_gap.training.history import add_epoch, best_epoch, epoch_line

NAN = float("nan")


def history_of(*figures):
    """Return a history with an epoch for each (val_loss, val_auroc, val_challenge_metric)."""
    history = ()
    for epoch, (loss, auroc, metric) in enumerate(figures, start=1):
        row = (epoch, 0.5, loss, auroc, auroc, metric)
        history = add_epoch(history, dict(zip(COLUMNS, row, strict=True)))
    return history


def test_figures_are_rounded_and_nan_becomes_none():
    history = history_of((0.12345678, NAN, 0.5))
    assert history == (dict(zip(COLUMNS, (1, 0.5, 0.123457, None, None, 0.5), strict=True)),)
    assert isinstance(history[0]["epoch"], int)


def test_the_best_epoch_has_the_highest_mean_of_three():
    lucky = history_of((1, 0.5, 0.1), (1, 0.9, 0.9), (1, 0.5, 0.1), (1, 0.8, 0.6), (1, 0.8, 0.6), (1, 0.8, 0.6))
    assert best_epoch(lucky) == 6
    assert best_epoch(lucky[:3]) == 2


def test_without_an_auroc_the_lowest_loss_is_the_best_and_without_validation_the_last_epoch():
    assert best_epoch(history_of((0.3, NAN, NAN), (0.2, NAN, NAN), (0.4, NAN, NAN))) == 2
    assert best_epoch(history_of((NAN, NAN, NAN), (NAN, NAN, NAN))) == 2


def test_a_line_names_the_epoch_its_figures_and_its_time():
    figures = dict(zip(COLUMNS, (2, 0.5, 0.25, 0.9, 0.8, 0.4), strict=True))
    line = epoch_line(figures, epochs=3, seconds=4.2)
    assert line.startswith("epoch 2/3  loss 0.5000  val_loss 0.2500  val_auroc 0.9000")
    assert line.endswith("val_challenge_metric 0.4000  4 s")
