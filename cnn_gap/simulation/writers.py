"""A writer for each format that is read."""

from collections.abc import Callable
from pathlib import Path

from cnn_gap.simulation import device_files, vendor_files
from cnn_gap.simulation.files import SimulatedRecord

#: A writer for each format that is read beside WFDB and MATLAB, by the format's name.
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
