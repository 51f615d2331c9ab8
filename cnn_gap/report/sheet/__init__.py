"""The twelve-lead sheet: an explained record as on ECG paper.

It has the format and scale of a routine recording: by default 25 mm/s, 10 mm/mV and a calibration pulse, as the
recommendations for standardised ECGs have them (Kligfield et al. 2007, doi:10.1161/CIRCULATIONAHA.106.180200).
"""
