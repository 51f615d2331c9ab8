"""How a model does on fewer leads: the 2021 Challenge's sets of leads, and single ones.

Every record is taken as if only those leads had been recorded. From I and II the reader derives the other limb
leads: 6 leads say what 2 do, and 4 what 3 do, up to rounding.
"""

from functools import partial

from benchmarks.common import classify_labelled, model_parser, start_classifier, table
from cnn_gap.io.amplitudes import record_from_signal
from cnn_gap.leads import LEADS
from cnn_gap.record import Record
from cnn_gap.system.exit_codes import run

#: Twelve, six, four, three and two leads: Reyna et al. 2021, "Will two do?".
LEAD_SETS = {
    "12 leads": LEADS,
    "6 leads: the limbs'": LEADS[:6],
    "4 leads: I, II, III, V2": ("I", "II", "III", "V2"),
    "3 leads: I, II, V2": ("I", "II", "V2"),
    "2 leads: I, II": ("I", "II"),
    "lead I only": ("I",),
    "lead II only": ("II",),
}


def main(arguments: list[str]) -> None:
    """Classify with every set of leads and print a table."""
    options = model_parser("quality.lead_sets", __doc__).parse_args(arguments)
    classifier = start_classifier(options.model)
    classified = {
        name: classify_labelled(classifier, options.data, options.limit, partial(with_leads, leads=leads))
        for name, leads in LEAD_SETS.items()
    }
    reference = classified["12 leads"]
    rows = [
        (name, each.auroc, reference.auroc - each.auroc, each.challenge_metric)
        for name, each in classified.items()
    ]
    print(f"{len(reference.names)} records\n")
    print(table(("leads", "macro AUROC", "less than of 12 leads by", "Challenge metric"), rows))


def with_leads(record: Record, leads: tuple[str, ...]) -> Record:
    """Return the record as if only `leads` had been recorded, of those that it has.

    Raises
    ------
    InputError
        If it has none of them.
    """
    kept = [index for index, lead in enumerate(LEADS) if lead in leads and record.leads[index]]
    return record_from_signal(
        record.signal[:, kept],
        record.sampling_rate,
        [LEADS[index] for index in kept],
        record.name,
        record.codes,
        record.age,
        record.sex,
    )


if __name__ == "__main__":
    run(main)
