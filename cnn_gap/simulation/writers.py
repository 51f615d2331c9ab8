"""The table of writers: a function that writes a simulated recording for each format that can be read."""

from collections.abc import Callable
from pathlib import Path

from cnn_gap.simulation import device_files, vendor_files
from cnn_gap.simulation.files import SimulatedRecord

#: The writer of each format by its name in `cnn_gap.io.registry`. Records of WFDB and
#: MATLAB are written by `cnn_gap.simulation.files` instead.
WRITERS: dict[str, Callable[[Path, SimulatedRecord], Path]] = {
    "DICOM": vendor_files.write_dicom,
    "GE MUSE XML": vendor_files.write_muse,
    "Philips Sierra XML": vendor_files.write_sierra,
    "HL7 aECG": vendor_files.write_aecg,
    "SCP-ECG": vendor_files.write_scp,
    "EDF": vendor_files.write_edf,
    "GE CardioSoft XML": device_files.write_cardiosoft,
    "Schiller XML": device_files.write_schiller,
    "Mortara ELI XML": device_files.write_mortara,
    "ISHNE": device_files.write_ishne,
    "MFER": device_files.write_mfer,
    "NumPy array": vendor_files.write_npy,
    "NumPy archive": vendor_files.write_npz,
    "HDF5": device_files.write_hdf5,
    "CSV": vendor_files.write_csv,
    "Parquet": vendor_files.write_parquet,
}
