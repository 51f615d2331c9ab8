"""Simulated recordings as CardioSoft, Schiller, Mortara, ISHNE, MFER and HDF5, for tests and benchmarks.

ISHNE follows Badilini's standard (1998), MFER ISO 22077-1. The three XML formats have no public specification:
they are written as other programs read them.
"""

import base64
import binascii
import struct
from pathlib import Path

import numpy as np

from cnn_gap.leads import LEADS
from cnn_gap.simulation.files import SimulatedRecord
from cnn_gap.simulation.vendor_files import FAMILY_NAME, GIVEN_NAME, RECORDED, UNIT_UV, counts, write_sidecar
from cnn_gap.system.files import replacing, write_text

#: Number of each lead in ISHNE and in MFER.
_ISHNE_LEADS = dict(zip(LEADS, range(5, 17), strict=True))
_MFER_LEADS = dict(zip(LEADS, (1, 2, 61, 62, 63, 64, 3, 4, 5, 6, 7, 8), strict=True))

#: Number of samples of the average beat in a file: a reader must leave them out.
_BEAT_SAMPLES = 60


def write_cardiosoft(folder: Path, record: SimulatedRecord) -> Path:
    """Write ``NAME.xml`` as GE's CardioSoft: a strip of all samples, and median beats."""
    values = counts(record)
    path = folder / f"{record.name}.xml"
    write_text(
        path,
        f"""<?xml version="1.0" encoding="ISO-8859-1"?>
<CardiologyXML>
<ObservationType>RestECG</ObservationType>
<ObservationDateTime><Hour>{RECORDED.hour}</Hour><Minute>{RECORDED.minute}</Minute><Second>{RECORDED.second}</Second>
<Day>{RECORDED.day}</Day><Month>{RECORDED.month}</Month><Year>{RECORDED.year}</Year></ObservationDateTime>
<PatientInfo><PID>4711</PID><Name><FamilyName>{FAMILY_NAME}</FamilyName><GivenName>{GIVEN_NAME}</GivenName></Name>
<Age units="years">{record.age}</Age><Gender>{record.sex.upper()}</Gender></PatientInfo>
<DeviceInfo><Desc>CardioSoft</Desc></DeviceInfo>
<RestingECGMeasurements><MedianSamples>{_cardiosoft_leads(record, values[:_BEAT_SAMPLES])}</MedianSamples>
</RestingECGMeasurements>
<StripData>{_cardiosoft_leads(record, values)}</StripData>
</CardiologyXML>
""",
    )
    return path


def _cardiosoft_leads(record: SimulatedRecord, values: np.ndarray) -> str:
    leads = "".join(
        f'<WaveformData lead="{lead}">{",".join(map(str, column))},</WaveformData>\n'
        for lead, column in zip(LEADS, values.T.tolist(), strict=True)
    )
    return (
        f'<NumberOfLeads>12</NumberOfLeads><SampleRate units="Hz">{record.sampling_rate:g}</SampleRate>'
        f"<ChannelSampleCountTotal>{len(values)}</ChannelSampleCountTotal>"
        f'<Resolution units="uVperLsb">{UNIT_UV}</Resolution>{leads}'
    )


def write_schiller(folder: Path, record: SimulatedRecord) -> Path:
    """Write ``NAME.xml`` as an export of Schiller's EDI: the rhythm and average beats."""
    values = counts(record)
    root = "com.xiriuz.sema.xml.schillerEDI.SchillerEDI"
    path = folder / f"{record.name}.xml"
    write_text(
        path,
        f"""<?xml version="1.0" encoding="UTF-8"?>
<{root}>
<patdata><id>4711</id><lastname>{FAMILY_NAME}</lastname><firstname>{GIVEN_NAME}</firstname>
<birthdate>{RECORDED.year - record.age}0101</birthdate><gender>{record.sex.upper()}</gender></patdata>
<examdescript><startdatetime><date>{RECORDED:%Y%m%d}</date><time>{RECORDED:%H%M%S}</time></startdatetime></examdescript>
<eventdata><event>
{_schiller_waves("ECG_AVERAGES", record, values[:_BEAT_SAMPLES])}
{_schiller_waves("ECG_RHYTHMS", record, values)}
</event></eventdata>
</{root}>
""",
    )
    return path


def _schiller_waves(kind: str, record: SimulatedRecord, values: np.ndarray) -> str:
    channels = "".join(
        f"<channel><name>{lead.upper()}</name><datastype>COMMASEPARATE</datastype>"
        f"<data>{','.join(map(str, column))}</data></channel>\n"
        for lead, column in zip(LEADS, values.T.tolist(), strict=True)
    )
    return (
        f"<wavedata><type>{kind}</type><resolution>"
        f"<samplerate><value>{record.sampling_rate:g}</value><exponent>1</exponent></samplerate>"
        f"<yres><unitperbit>{UNIT_UV}</unitperbit><units>UV</units></yres></resolution>{channels}</wavedata>"
    )


def write_mortara(folder: Path, record: SimulatedRecord) -> Path:
    """Write ``NAME.xml`` as Mortara's ELI electrocardiographs do."""
    values = counts(record)
    about = (
        f'BITS="16" FORMAT="SIGNED" UNITS_PER_MV="{1000 / UNIT_UV:g}" SAMPLE_FREQ="{record.sampling_rate:g}"'
    )
    channels = "".join(
        f'<CHANNEL NAME="{lead}" OFFSET="0" {about} DURATION="{len(values)}" ENCODING="BASE64"'
        f' DATA="{base64.b64encode(column.tobytes()).decode()}"/>\n'
        for lead, column in zip(LEADS, values.T, strict=True)
    )
    path = folder / f"{record.name}.xml"
    write_text(
        path,
        f"""<?xml version="1.0" encoding="UTF-8"?>
<ECG ACQUISITION_TIME="{RECORDED:%Y%m%d%H%M%S}" AGE="{record.age}" AGE_UNITS="YEARS">
<SUBJECT LAST_NAME="{FAMILY_NAME}" FIRST_NAME="{GIVEN_NAME}" ID="4711" GENDER="{record.sex.upper()}"
 AGE="{record.age}"/>
<SOURCE TYPE="ELECTROCARDIOGRAPH" MANUFACTURER="CNN-GAP" MODEL="Simulator"/>
{channels}</ECG>
""",
    )
    return path


def write_ishne(folder: Path, record: SimulatedRecord) -> Path:
    """Write ``NAME.ecg`` as ISHNE's Holter format."""
    values = counts(record)
    born = (1, 1, RECORDED.year - record.age)
    day = (RECORDED.day, RECORDED.month, RECORDED.year)
    time = (RECORDED.hour, RECORDED.minute, RECORDED.second)
    header = struct.pack("<iiiih", 0, len(values), 522, 522, 1)
    header += struct.pack("<40s40s20s", GIVEN_NAME.encode(), FAMILY_NAME.encode(), b"4711")
    header += struct.pack("<2h", 1 if record.sex == "Male" else 2, 0)
    header += struct.pack("<12h", *born, *day, *day, *time)
    header += struct.pack("<h12h12h12h", 12, *_ISHNE_LEADS.values(), *[1] * 12, *[round(UNIT_UV * 1000)] * 12)
    header += struct.pack("<h40sh", 0, b"Simulator", round(record.sampling_rate))
    header = header.ljust(512, b"\0")
    path = folder / f"{record.name}.ecg"
    with replacing(path) as aside:
        checksum = struct.pack("<H", binascii.crc_hqx(header, 0xFFFF))
        aside.write_bytes(b"ISHNE1.0" + checksum + header + values.tobytes())
    return path


def write_mfer(folder: Path, record: SimulatedRecord) -> Path:
    """Write ``NAME.mwf`` as MFER: one block of each lead."""
    values = counts(record)
    content = _mfer(0x40, b"MFR Standard 12 leads ECG".ljust(32)) + _mfer(0x01, b"\1")
    content += _mfer(0x17, b"CNN-GAP^Simulator") + _mfer(0x81, f"{FAMILY_NAME}^{GIVEN_NAME}".encode())
    content += _mfer(0x82, b"4711") + _mfer(0x83, struct.pack("<BH", record.age, 0) + b"\0\0\0\0")
    content += _mfer(0x84, bytes([1 if record.sex == "Male" else 2]))
    content += _mfer(0x85, struct.pack("<H5B2H", RECORDED.year, *RECORDED.timetuple()[1:6], 0, 0))
    content += _mfer(0x08, struct.pack("<H", 1))
    content += _mfer(0x0B, struct.pack("<Bbi", 0, -2, round(record.sampling_rate * 100)))  # 0.01 Hz
    content += _mfer(0x0C, struct.pack("<Bbi", 0, -7, round(UNIT_UV * 10)))  # 0.1 uV
    content += _mfer(0x04, struct.pack("<I", len(values))) + _mfer(0x05, bytes([12])) + _mfer(0x06, b"\1")
    content += _mfer(0x0A, b"\0")
    for number, lead in enumerate(LEADS):
        name = _mfer(0x09, struct.pack("<H", _MFER_LEADS[lead]))
        content += bytes([0x3F, number]) + _mfer_length(len(name)) + name
    content += _mfer(0x1E, values.T.tobytes()) + b"\x80\0"
    path = folder / f"{record.name}.mwf"
    with replacing(path) as aside:
        aside.write_bytes(content)
    return path


def _mfer(tag: int, value: bytes) -> bytes:
    return bytes([tag]) + _mfer_length(len(value)) + value


def _mfer_length(length: int) -> bytes:
    return bytes([length]) if length < 128 else b"\x84" + length.to_bytes(4, "big")


def write_hdf5(folder: Path, record: SimulatedRecord) -> Path:
    """Write ``NAME.h5`` with an array `ecg` whose rows are leads, and its sidecar."""
    import h5py

    path = folder / f"{record.name}.h5"
    with replacing(path) as aside, h5py.File(aside, "w") as file:
        file["ecg"] = (record.signal.T * 1000).astype(np.float32)
    write_sidecar(path, record, leads=list(LEADS))
    return path
