"""Simulated recordings as DICOM, MUSE, Sierra, aECG, SCP-ECG and EDF, and as arrays, for tests and benchmarks.

DICOM is written by pydicom and EDF by pyEDFlib; the XML formats and SCP-ECG (EN 1064, uncompressed) are written
from templates that follow their standards. Samples are 16-bit integers in units of `UNIT_UV`. The patient has a
name, so that tests can check that no output contains it.
"""

import base64
import struct
import warnings
from datetime import datetime
from pathlib import Path
from xml.sax.saxutils import escape

import numpy as np

from cnn_gap.leads import LEADS
from cnn_gap.simulation.files import SimulatedRecord
from cnn_gap.system.files import replacing, write_json, write_text

#: Amplitude of one count of the 16-bit samples, µV.
UNIT_UV = 2.5

#: Name of the simulated patients and time of their recording.
FAMILY_NAME, GIVEN_NAME = "Mustermann", "Erika"
RECORDED = datetime(2021, 3, 4, 15, 6, 7)

#: Number of each lead in SCP-ECG and DICOM.
_LEAD_NUMBERS = dict(zip(LEADS, (1, 2, 61, 62, 63, 64, 3, 4, 5, 6, 7, 8), strict=True))

#: The leads that MUSE stores; the other four are computed from I and II.
MUSE_LEADS = ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")


def counts(record: SimulatedRecord) -> np.ndarray:
    """Return the samples in units of `UNIT_UV`, int16 of shape (samples, 12)."""
    return np.clip(np.rint(record.signal * (1000 / UNIT_UV)), -32767, 32767).astype("<i2")


def write_dicom(folder: Path, record: SimulatedRecord) -> Path:
    """Write ``NAME.dcm``: a 12-lead ECG with a rhythm waveform and a median beat."""
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, TwelveLeadECGWaveformStorage, generate_uid

    file = Dataset()
    file.file_meta = FileMetaDataset()
    file.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    file.file_meta.MediaStorageSOPClassUID = file.SOPClassUID = TwelveLeadECGWaveformStorage
    file.file_meta.MediaStorageSOPInstanceUID = file.SOPInstanceUID = generate_uid()
    file.Modality, file.PatientID = "ECG", "4711"
    file.PatientName = f"{FAMILY_NAME}^{GIVEN_NAME}"
    file.PatientAge, file.PatientSex = f"{record.age:03d}Y", record.sex[0]
    file.Manufacturer, file.ManufacturerModelName = "CNN-GAP", "Simulator"
    file.AcquisitionDateTime = RECORDED.strftime("%Y%m%d%H%M%S")
    values = counts(record)
    file.WaveformSequence = [
        _dicom_group("RHYTHM", values, record.sampling_rate),
        _dicom_group("MEDIAN BEAT", values[: len(values) // 8], record.sampling_rate),
    ]
    path = folder / f"{record.name}.dcm"
    with replacing(path) as aside:
        file.save_as(aside, enforce_file_format=True)
    return path


def _dicom_group(label: str, values: np.ndarray, rate: float) -> object:
    from pydicom.dataset import Dataset

    group = Dataset()
    group.MultiplexGroupLabel, group.WaveformOriginality = label, "ORIGINAL"
    group.NumberOfWaveformSamples, group.NumberOfWaveformChannels = values.shape
    group.SamplingFrequency = rate
    group.WaveformBitsAllocated, group.WaveformSampleInterpretation = 16, "SS"
    group.WaveformData = values.tobytes()
    group.ChannelDefinitionSequence = []
    for lead in LEADS:
        channel, source, unit = Dataset(), Dataset(), Dataset()
        source.CodeValue, source.CodingSchemeDesignator = f"2:{_LEAD_NUMBERS[lead]}", "MDC"
        source.CodeMeaning = f"Lead {lead}"
        unit.CodeValue, unit.CodingSchemeDesignator, unit.CodeMeaning = "uV", "UCUM", "microvolt"
        channel.ChannelSourceSequence, channel.ChannelSensitivityUnitsSequence = [source], [unit]
        channel.ChannelSensitivity, channel.ChannelSensitivityCorrectionFactor = UNIT_UV, 1
        channel.ChannelBaseline, channel.WaveformBitsStored = 0, 16
        group.ChannelDefinitionSequence.append(channel)
    return group


def write_muse(folder: Path, record: SimulatedRecord) -> Path:
    """Write ``NAME.xml`` in the format of GE's MUSE: eight leads, and a median beat."""
    values = counts(record)
    path = folder / f"{record.name}.xml"
    write_text(
        path,
        f"""<?xml version="1.0" encoding="ISO-8859-1"?>
<!DOCTYPE RestingECG SYSTEM "restecg.dtd">
<RestingECG>
<MuseInfo><MuseVersion>8.0</MuseVersion></MuseInfo>
<PatientDemographics><PatientID>4711</PatientID><PatientAge>{record.age}</PatientAge><AgeUnits>YEARS</AgeUnits>
<Gender>{record.sex.upper()}</Gender><PatientLastName>{FAMILY_NAME}</PatientLastName>
<PatientFirstName>{GIVEN_NAME}</PatientFirstName></PatientDemographics>
<TestDemographics><DataType>RESTING</DataType><AcquisitionDevice>Simulator</AcquisitionDevice>
<AcquisitionTime>{RECORDED:%H:%M:%S}</AcquisitionTime><AcquisitionDate>{RECORDED:%m-%d-%Y}</AcquisitionDate>
</TestDemographics>
{_muse_waveform("Median", values[: len(values) // 8], record.sampling_rate)}
{_muse_waveform("Rhythm", values, record.sampling_rate)}
</RestingECG>
""",
    )
    return path


def _muse_waveform(kind: str, values: np.ndarray, rate: float) -> str:
    leads = []
    for lead in MUSE_LEADS:
        data = values[:, LEADS.index(lead)].tobytes()
        leads.append(
            f"<LeadData><LeadByteCountTotal>{len(data)}</LeadByteCountTotal>"
            f"<LeadSampleCountTotal>{len(values)}</LeadSampleCountTotal>"
            f"<LeadAmplitudeUnitsPerBit>{UNIT_UV}</LeadAmplitudeUnitsPerBit>"
            "<LeadAmplitudeUnits>MICROVOLTS</LeadAmplitudeUnits><LeadSampleSize>2</LeadSampleSize>"
            f"<LeadID>{lead}</LeadID><WaveFormData>{base64.b64encode(data).decode()}</WaveFormData></LeadData>"
        )
    return (
        f"<Waveform><WaveformType>{kind}</WaveformType><SampleBase>{rate:g}</SampleBase>"
        f"<SampleExponent>0</SampleExponent>{''.join(leads)}</Waveform>"
    )


def write_sierra(folder: Path, record: SimulatedRecord) -> Path:
    """Write ``NAME.xml`` in the format Sierra ECG 1.04 of Philips (not compressed)."""
    values = counts(record)
    data = base64.b64encode(values.T.tobytes()).decode()
    path = folder / f"{record.name}.xml"
    write_text(
        path,
        f"""<?xml version="1.0" encoding="UTF-8"?>
<restingecgdata xmlns="http://www3.medical.philips.com">
<documentinfo><documenttype>SierraECG</documenttype><documentversion>1.04</documentversion></documentinfo>
<dataacquisition date="{RECORDED:%Y-%m-%d}" time="{RECORDED:%H:%M:%S}">
<machine machineid="1" detaildescription="CNN-GAP:1:1">Simulator</machine>
<signalcharacteristics><samplingrate>{record.sampling_rate:g}</samplingrate><resolution>{UNIT_UV}</resolution>
<signalsigned>true</signalsigned><numberchannelsallocated>12</numberchannelsallocated>
<numberchannelsvalid>12</numberchannelsvalid><acquisitiontype>STD-12</acquisitiontype></signalcharacteristics>
</dataacquisition>
<patient><generalpatientdata><name><lastname>{FAMILY_NAME}</lastname><firstname>{GIVEN_NAME}</firstname></name>
<age><years>{record.age}</years></age><sex>{record.sex}</sex></generalpatientdata></patient>
<waveforms><parsedwaveforms dataencoding="Base64" compressflag="False" numberofleads="12"
 leadlabels="{" ".join(LEADS)}" samplespersecond="{record.sampling_rate:g}" resolution="{UNIT_UV}"
 durationperchannel="{1000 * len(values) / record.sampling_rate:g}">{data}</parsedwaveforms></waveforms>
</restingecgdata>
""",
    )
    return path


def write_aecg(folder: Path, record: SimulatedRecord) -> Path:
    """Write ``NAME.xml`` in the format HL7 annotated ECG (ANSI/HL7 V3 ECG, R1-2004)."""
    values = counts(record)
    sequences = "".join(
        f'<component><sequence><code code="MDC_ECG_LEAD_{lead.upper()}" codeSystem="2.16.840.1.113883.6.24"/>'
        f'<value xsi:type="SLIST_PQ"><origin value="0" unit="uV"/><scale value="{UNIT_UV}" unit="uV"/>'
        f"<digits>{' '.join(map(str, column))}</digits></value></sequence></component>"
        for lead, column in zip(LEADS, values.T.tolist(), strict=True)
    )
    began = f"{RECORDED:%Y%m%d%H%M%S}"
    path = folder / f"{record.name}.xml"
    write_text(
        path,
        f"""<?xml version="1.0" encoding="UTF-8"?>
<AnnotatedECG xmlns="urn:hl7-org:v3" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
<id root="1.2.3"/><effectiveTime><low value="{began}"/></effectiveTime>
<componentOf><timepointEvent><componentOf><subjectAssignment><subject><trialSubject>
<subjectDemographicPerson><name><given>{GIVEN_NAME}</given><family>{FAMILY_NAME}</family></name>
<administrativeGenderCode code="{escape(record.sex[0])}"/><birthTime value="{RECORDED.year - record.age}0101"/>
</subjectDemographicPerson></trialSubject></subject></subjectAssignment></componentOf></timepointEvent></componentOf>
<component><series><code code="RHYTHM"/><effectiveTime><low value="{began}"/></effectiveTime>
<component><sequenceSet><component><sequence><code code="TIME_ABSOLUTE"/><value xsi:type="GLIST_TS">
<head value="{began}"/><increment value="{1 / record.sampling_rate:.12g}" unit="s"/></value></sequence>
</component>{sequences}</sequenceSet></component></series></component>
</AnnotatedECG>
""",
    )
    return path


def write_scp(folder: Path, record: SimulatedRecord) -> Path:
    """Write ``NAME.scp``: SCP-ECG with uncompressed samples."""
    import binascii

    values = counts(record)
    patient = _scp_tag(0, FAMILY_NAME.encode() + b"\0") + _scp_tag(1, GIVEN_NAME.encode() + b"\0")
    patient += _scp_tag(2, b"4711\0") + _scp_tag(4, struct.pack("<HB", record.age, 1))
    patient += _scp_tag(8, bytes([1 if record.sex == "Male" else 2]))
    patient += _scp_tag(25, struct.pack("<HBB", RECORDED.year, RECORDED.month, RECORDED.day))
    patient += _scp_tag(26, bytes([RECORDED.hour, RECORDED.minute, RECORDED.second])) + _scp_tag(255, b"")
    leads = bytes([len(LEADS), 0b100]) + b"".join(
        struct.pack("<IIB", 1, len(values), _LEAD_NUMBERS[lead]) for lead in LEADS
    )
    rhythm = struct.pack("<HHBB", round(UNIT_UV * 1000), round(1e6 / record.sampling_rate), 0, 0)
    rhythm += struct.pack("<12H", *[2 * len(values)] * 12) + values.T.tobytes()
    bodies = {1: patient, 3: leads, 6: rhythm}
    pointers, content, position = struct.pack("<HII", 0, 16 + 120, 7), b"", 7 + 16 + 120
    for number in range(1, 12):
        section = _scp_section(number, bodies[number]) if number in bodies else b""
        pointers += struct.pack("<HII", number, len(section), position if section else 0)
        content, position = content + section, position + len(section)
    content = _scp_section(0, pointers) + content
    content = struct.pack("<I", 6 + len(content)) + content
    path = folder / f"{record.name}.scp"
    with replacing(path) as aside:
        aside.write_bytes(struct.pack("<H", binascii.crc_hqx(content, 0xFFFF)) + content)
    return path


def _scp_tag(tag: int, value: bytes) -> bytes:
    return struct.pack("<BH", tag, len(value)) + value


def _scp_section(number: int, body: bytes) -> bytes:
    import binascii

    body += b"\0" * (len(body) % 2)
    about = struct.pack("<HIBB6x", number, 16 + len(body), 20, 20) + body
    return struct.pack("<H", binascii.crc_hqx(about, 0xFFFF)) + about


def write_edf(folder: Path, record: SimulatedRecord) -> Path:
    """Write ``NAME.edf`` in the format EDF+."""
    import pyedflib

    values = counts(record)
    path = folder / f"{record.name}.edf"
    rate = record.sampling_rate
    headers: list[dict[str, str | int | float | None]] = [
        {
            "label": f"ECG {lead}",
            "dimension": "uV",
            "sample_frequency": rate,
            "physical_min": -32768 * UNIT_UV,
            "physical_max": 32767 * UNIT_UV,
            "digital_min": -32768,
            "digital_max": 32767,
        }
        for lead in LEADS
    ]
    with replacing(path) as aside, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about sampling rates that are rounded
        with pyedflib.EdfWriter(str(aside), len(LEADS), pyedflib.FILETYPE_EDFPLUS) as file:
            file.setSignalHeaders(headers)
            file.setPatientName(f"{FAMILY_NAME}, {GIVEN_NAME}")
            file.setSex(0 if record.sex == "Female" else 1)
            file.setStartdatetime(RECORDED)
            file.writeSamples([np.ascontiguousarray(column, np.int32) for column in values.T], digital=True)
    return path


def write_npy(folder: Path, record: SimulatedRecord) -> Path:
    """Write ``NAME.npy`` with amplitudes in µV, and its sidecar."""
    path = folder / f"{record.name}.npy"
    with replacing(path) as aside:
        np.save(aside, (record.signal * 1000).astype(np.float32))
    write_sidecar(path, record, leads=list(LEADS))
    return path


def write_npz(folder: Path, record: SimulatedRecord) -> Path:
    """Write ``NAME.npz`` with the array `signal`, and its sidecar."""
    path = folder / f"{record.name}.npz"
    with replacing(path) as aside:
        np.savez_compressed(aside, signal=(record.signal * 1000).astype(np.float32))
    write_sidecar(path, record, leads=list(LEADS))
    return path


def write_csv(folder: Path, record: SimulatedRecord) -> Path:
    """Write ``NAME.csv`` with the names of the leads in its first line, and its sidecar."""
    path = folder / f"{record.name}.csv"
    lines = [",".join(f"{value:.3f}" for value in row) for row in record.signal * 1000]
    write_text(path, "\n".join([",".join(LEADS), *lines]) + "\n")
    write_sidecar(path, record)
    return path


def write_parquet(folder: Path, record: SimulatedRecord) -> Path:
    """Write ``NAME.parquet`` with a column for each lead, and its sidecar."""
    import pandas

    path = folder / f"{record.name}.parquet"
    with replacing(path) as aside:
        pandas.DataFrame((record.signal * 1000).astype(np.float32), columns=list(LEADS)).to_parquet(aside)
    write_sidecar(path, record)
    return path


def write_sidecar(path: Path, record: SimulatedRecord, **more: object) -> None:
    """Write the sidecar of an array in µV: sampling rate, unit, age and sex."""
    about = {"sampling_rate": record.sampling_rate, "unit": "uV", "age": record.age, "sex": record.sex}
    write_json(path.with_suffix(".json"), about | more)
