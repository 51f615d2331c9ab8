"""From a folder of DICOM files to a table, from a data frame of arrays to answers, and a figure.

Usage: python examples/hospital.py OUT. The cells (`# %%`) run one by one in editors that know notebooks. The
patients are simulated.
"""

# %% A folder of DICOM files, as an archive exports them
import sys
from pathlib import Path

import matplotlib
import numpy as np
import pandas

import cnn_gap
from cnn_gap.leads import LEADS
from cnn_gap.simulation import simulate_record
from cnn_gap.simulation.vendor_files import write_dicom

matplotlib.use("Agg")
out = Path(sys.argv[1] if len(sys.argv) > 1 else "hospital")
archive = out / "archive"
archive.mkdir(parents=True, exist_ok=True)
hearts = {"P1": ["426783006"], "P2": ["164889003"], "P3": ["59118001"]}  # sinus rhythm, AF, RBBB
for seed, (name, codes) in enumerate(hearts.items()):
    write_dicom(archive, simulate_record(name, codes, 500.0, 10.0, seed))
(archive / "P4.dcm").write_bytes(b"not a DICOM file")

# %% One table: a row for each file, and the reason if it cannot be read
classifier = cnn_gap.load_classifier()
predictions = classifier.predict_batch(sorted(archive.glob("*.dcm")))
table = cnn_gap.predictions_table(predictions)
table.to_csv(out / "archive.csv", index=False)
print(table[["record", "failure", "notes", "AF_probability", "AF_label"]].to_string())

# %% A data frame of arrays, in µV
signals = [cnn_gap.read_record(archive / f"{name}.dcm").signal * 1000 for name in hearts]
frame = pandas.DataFrame({"patient": list(hearts), "ecg": signals})
answers = classifier.predict_batch(frame["ecg"], 500, LEADS, unit="uV", names=frame["patient"])
frame["answers"] = [[answer.diagnosis.name for answer in each.answered] for each in answers]
frame["AF"] = [each["AF"].probability for each in answers]
print(frame[["patient", "answers", "AF"]].to_string())
np.testing.assert_allclose(frame["AF"], table["AF_probability"][:3], atol=1e-6)

# %% Why: where in the record the network sees atrial fibrillation
explanation = classifier.explain(archive / "P2.dcm", classes="AF")
cnn_gap.plot(explanation).savefig(out / "P2.png")
