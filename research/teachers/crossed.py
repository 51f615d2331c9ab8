"""Crossed teachers: each network predicts training records that it has not learned.

A network that has learned a record repeats its label, right or wrong. So the patients of the training records
are split into parts. For each part, one network learns the other parts and predicts this one (cross-fitting,
Dao et al. 2021, "Knowledge Distillation as Semiparametric Inference").
"""

from dataclasses import replace

import numpy as np
from scipy.special import expit, logit

from research.teachers.records import Records

#: Probabilities are kept this far from 0 and 1, so that no logit is infinite.
NEAREST = 1e-4


def part_of_records(records: Records, parts: int, seed: int) -> np.ndarray:
    """Return the part of each record, from 1 on, int of shape (n,); 0 for validation records.

    Records of a patient are in one part. Each part has the same number of patients, or one more.
    """
    patients, patient = np.unique(records.patients, return_inverse=True)
    part = np.random.default_rng(seed).permutation(len(patients)) % parts
    return np.where(records.validation, 0, part[patient] + 1)


def without_part(records: Records, part: np.ndarray, left_out: int) -> Records:
    """Return the records; the records of one part are validation records, too."""
    return replace(records, validation=records.validation | (part == left_out))


def crossed_probabilities(said: np.ndarray, part: np.ndarray) -> np.ndarray:
    """Return for each record the probabilities by the networks that have not learned it.

    Parameters
    ----------
    said : ndarray, shape (parts, records, outputs)
        Probabilities by the network that has not learned a part.
    part : ndarray, shape (records,), int
        See `part_of_records`.

    Returns
    -------
    ndarray, shape (records, outputs)
        For a record in a part, the probabilities by the network that has not learned this part. For a
        validation record, the probabilities of the mean of all networks' logits.
    """
    mean = expit(logit(np.clip(said, NEAREST, 1 - NEAREST)).mean(axis=0))
    own = said[np.maximum(part, 1) - 1, np.arange(len(part))]
    return np.where(part[:, None] == 0, mean, own)
