"""Recordings in other formats than WFDB's: what hospitals export, and arrays in files.

`reading.read_other` is the door. `recognition` tells a format by the file's content, `limits` refuses what
would take more memory than its size tells, `vendor` reads the formats of devices by ecgdatakit, and `arrays`
reads NumPy, CSV and Parquet with a sidecar.
"""
