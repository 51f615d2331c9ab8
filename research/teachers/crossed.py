"""Crossed teachers: each network predicts training records that it has not learned.

A network that has learned a record repeats its label, right or wrong. So the patients of the training records
are split into parts. For each part, one network learns the other parts and predicts this one (cross-fitting,
Dao et al. 2021, "Knowledge Distillation as Semiparametric Inference").
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.special import expit, logit

from research.teachers.records import Records

#: Probabilities are kept this far from 0 and 1, so that no logit is infinite.
NEAREST = 1e-4


@dataclass(frozen=True, eq=False)
class Crossing:
    """Records, and how the patients of the training records are split into parts.

    Attributes
    ----------
    records : Records
        All records; validation records are in no part.
    parts : int
        How many parts there are. Each has about as many patients as the others.
    seed : int
        The split follows from it.
    """

    records: Records
    parts: int
    seed: int = 0

    @property
    def numbers(self) -> range:
        """The numbers of the parts, from 1 on."""
        return range(1, self.parts + 1)

    @cached_property
    def part(self) -> np.ndarray:
        """The number of each record's part, int of shape (n,); 0 for validation records."""
        patients, patient = np.unique(self.records.patients, return_inverse=True)
        part = 1 + np.random.default_rng(self.seed).permutation(len(patients)) % self.parts
        return np.where(self.records.validation, 0, part[patient])

    def without(self, number: int) -> Records:
        """Return the records; the records of a part are validation records, too."""
        return replace(self.records, validation=self.records.validation | (self.part == number))

    def join(self, said: Sequence[np.ndarray]) -> np.ndarray:
        """Return for each record the probabilities by the networks that have not learned it.

        Parameters
        ----------
        said : sequence of ndarray, each of shape (n, outputs)
            For each part, in order: the probabilities of all records by the network that has not learned it.

        Returns
        -------
        ndarray, shape (n, outputs)
            For a record in a part, the probabilities by the network that has not learned this part. For a
            validation record, the probabilities of the mean of all networks' logits.
        """
        every = np.stack(said)
        mean = expit(logit(np.clip(every, NEAREST, 1 - NEAREST)).mean(axis=0))
        own = every[np.maximum(self.part, 1) - 1, np.arange(len(self.part))]
        return np.where(self.part[:, None] == 0, mean, own)
