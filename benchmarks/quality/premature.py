"""Say how well premature atrial beats are found: by the network, by its map's peaks, and by measured beats.

    python -m benchmarks.quality.premature MODEL DATA MITDB --others CHALLENGE

DATA are PTB-XL's validation records with both kinds of labels; MITDB has annotated beats and is cut into parts
of 10 s. Parts with atrial fibrillation or paced beats are not ranked. The network's logit is its map's mean
over time; the peak is the mean of its highest twentieth. Each is joined with the measured earliness by a
logistic regression that is fitted to DATA; each tenth of DATA is ranked by a regression on the other nine.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import logit

from benchmarks.common import Table, command_parser, start_classifier
from benchmarks.estimates import fit_logistic
from benchmarks.quality.alerts import (
    PACED,
    SUPRAVENTRICULAR,
    VENTRICULAR,
    Part,
    annotated_parts,
    labelled_records,
)
from benchmarks.quality.databases import TRAINED_ON
from cnn_gap.evaluate.metrics import auroc_auprc
from cnn_gap.system.exit_codes import run

if TYPE_CHECKING:
    from cnn_gap.classifier import Classifier

#: The statement of PTB-XL, and the Challenge's codes, which PTB-XL's supraventricular arrhythmia has, too.
STATEMENT, CODES = frozenset(("PAC",)), frozenset(("PAC", "284470004", "63593006"))

#: The keys of the reading's statements.
KEYS = ("atrial_premature", "supraventricular_premature")

#: Earliness is cut at the first value; probabilities are kept away from 0 and 1 by the second.
LARGEST_EARLINESS, NEAREST = 5.0, 1e-4

#: Share of a map's values whose mean is its peak.
PEAK_SHARE = 0.05

#: DATA is divided into this many parts; each is ranked by regressions that are fitted to the other parts.
FOLDS = 10


@dataclass(frozen=True, eq=False)
class Answers:
    """The answers of network, map, measurement and reading for n records.

    Attributes
    ----------
    parts : list of Part
    logits, peaks : ndarray, shape (n,)
        The logit of premature atrial complexes, and the mean of the highest values of their map.
    earliness : ndarray, shape (n,)
        From the measured beats, at most `LARGEST_EARLINESS`; 0 where no beat is early.
    seen, said : ndarray, shape (n,), bool
        Whether the reading says premature atrial or supraventricular complexes, in any degree: by the network,
        and at all.
    """

    parts: list[Part]
    logits: np.ndarray
    peaks: np.ndarray
    earliness: np.ndarray
    seen: np.ndarray
    said: np.ndarray

    @property
    def signs(self) -> dict[str, np.ndarray]:
        """The values that rank the records, (n, values), by the names of the columns."""
        return {
            "network": self.logits[:, None],
            "peak": self.peaks[:, None],
            "measured": self.earliness[:, None],
            "network and measured": np.column_stack([self.logits, self.earliness]),
            "peak and measured": np.column_stack([self.peaks, self.earliness]),
        }

    def __getitem__(self, rows: np.ndarray) -> "Answers":
        """Return the answers of some of the records, by a bool for each."""
        kept = [part for part, row in zip(self.parts, rows, strict=True) if row]
        arrays = self.logits, self.peaks, self.earliness, self.seen, self.said
        return Answers(kept, *(each[rows] for each in arrays))

    def has(self, codes: frozenset[str]) -> np.ndarray:
        """Return which records are labelled with one of the codes."""
        return np.array([not codes.isdisjoint(part.record.codes) for part in self.parts])

    def beats(self, symbols: frozenset[str]) -> np.ndarray:
        """Return which records have an annotated beat of these kinds."""
        return np.array([not symbols.isdisjoint(part.kinds) for part in self.parts])


def main(arguments: list[str]) -> None:
    """Print the tables."""
    parser = command_parser("benchmarks.quality.premature", __doc__)
    parser.add_argument("model", metavar="MODEL", type=Path)
    parser.add_argument("data", metavar="DATA", type=Path)
    parser.add_argument("mitdb", metavar="MITDB", type=Path)
    parser.add_argument("--others", type=Path, help="labelled records of other databases")
    parser.add_argument("--every", type=int, default=1, help="take each N-th part of MITDB (default: 1)")
    parser.add_argument("--first", type=int, default=0, help="the first of these parts (default: 0)")
    options = parser.parse_args(arguments)
    classifier = start_classifier(options.model)
    parts = [each for path in sorted(options.mitdb.glob("*.hea")) for each in annotated_parts(path)]
    home = answer(classifier, labelled_records(options.data))
    away = answer(classifier, parts[options.first :: options.every])
    others = None if options.others is None else answer(classifier, foreign_records(options.others))
    print(Table("records", RANKING_HEADINGS, tuple(ranking_rows(home, away, others))))
    print()
    print(Table("records", READING_HEADINGS, tuple(reading_rows(home, away, others))))


def foreign_records(folder: Path) -> list[Part]:
    """Return the records of a folder that are of no database that models are trained on."""
    return [part for part in labelled_records(folder) if not part.record.name.startswith(TRAINED_ON)]


def answer(classifier: "Classifier", parts: Sequence[Part]) -> Answers:
    """Ask the network and measure the beats."""
    column = classifier.classes.find("PAC")
    prepared = [classifier.prepare(part.record) for part in parts]
    predictions = classifier.predict_prepared(prepared)
    maps = [classifier.run_with_maps(each.windows)[1][:, :, column].ravel() for each in prepared]
    peaks = [np.sort(each)[-max(1, round(PEAK_SHARE * len(each))) :].mean() for each in maps]
    probabilities = np.array([each.probabilities[column] for each in predictions])
    measured = [each.evidence.values.get("earliness", 0.0) if each.evidence else 0.0 for each in prepared]
    stated = [[each for each in answered.reading.statements if each.key in KEYS] for answered in predictions]
    return Answers(
        list(parts),
        logit(np.clip(probabilities, NEAREST, 1 - NEAREST)),
        np.array(peaks),
        np.minimum(measured, LARGEST_EARLINESS),
        np.array([any(each.origin != "measurement" for each in several) for several in stated]),
        np.array(list(map(bool, stated))),
    )


#: The names of the columns by which the records are ranked: the keys of `Answers.signs`.
SIGNS = ("network", "peak", "measured", "network and measured", "peak and measured")

RANKING_HEADINGS = (
    "records",
    "with premature beats",
    *(f"{area}, {sign}" for sign in SIGNS for area in ("AUROC", "AUPRC")),
)


def ranking_rows(home: Answers, away: Answers, others: Answers | None) -> Iterator[tuple[object, ...]]:
    """Yield how well each sign ranks the records."""
    labelled = home.has(STATEMENT)
    folds = np.random.default_rng(0).integers(0, FOLDS, len(labelled))
    at_home = np.zeros((len(labelled), len(SIGNS)))
    for fold in range(FOLDS):
        chosen = folds == fold
        at_home[chosen] = _scores(home[chosen], home[~chosen], labelled[~chosen])
    yield "DATA, by the statement PAC", *_areas(labelled, at_home)
    yield "DATA, by the Challenge's codes", *_areas(home.has(CODES), at_home)
    fibrillation = np.array([part.fibrillation is not False for part in away.parts])
    regular = away[~fibrillation & ~away.beats(PACED)]
    narrow = regular[~regular.beats(VENTRICULAR)]
    for name, parts in (("MITDB", regular), ("MITDB without ventricular beats", narrow)):
        yield name, *_areas(parts.beats(SUPRAVENTRICULAR), _scores(parts, home, labelled))
    if others is not None:
        yield "others", *_areas(others.has(CODES), _scores(others, home, labelled))


def _scores(answers: Answers, fitted_to: Answers, labelled: np.ndarray) -> np.ndarray:
    """Return the logit that a logistic regression on each sign gives, (records, signs)."""
    scores = []
    for name, signs in answers.signs.items():
        constant, coefficients = fit_logistic(fitted_to.signs[name], labelled)
        scores.append(constant + signs @ coefficients)
    return np.column_stack(scores)


def _areas(true: np.ndarray, scores: np.ndarray) -> Iterable[object]:
    areas = auroc_auprc(np.repeat(true[:, None], scores.shape[1], axis=1), scores)
    return len(true), int(true.sum()), *map(float, np.transpose(areas).ravel())


READING_HEADINGS = (
    "with premature beats",
    *(f"{figure}, {by}" for by in ("network", "both") for figure in ("said", "true", "found", "share true")),
)


def reading_rows(home: Answers, away: Answers, others: Answers | None) -> Iterator[tuple[object, ...]]:
    """Yield how often the reading says premature beats, and how often it is right."""
    yield "DATA, by the statement PAC", *_said(home, home.has(STATEMENT))
    yield "MITDB", *_said(away, away.beats(SUPRAVENTRICULAR))
    if others is not None:
        yield "others", *_said(others, others.has(CODES))


def _said(answers: Answers, true: np.ndarray) -> Iterator[object]:
    yield int(true.sum())
    for said in (answers.seen, answers.said):
        found, total = int((said & true).sum()), int(said.sum())
        yield from (total, found, found / max(int(true.sum()), 1), found / max(total, 1))


if __name__ == "__main__":
    run(main)
