"""What a file is, by its first bytes and the ending of its name, and what to do with the ones that hold no joint angles."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Literal

from motion.files.archive import opened
from motion.files.motion import MotionFileError

Format = Literal["opensim", "table", "vicon", "c3d", "mvnx", "workbook"]

HEAD_BYTES = 65_536
READABLE = (".mot", ".sto", ".csv", ".tsv", ".txt", ".c3d", ".mvnx", ".xlsx")
"""The endings of files that may be read."""

_ANGLES = "export the joint angles as OpenSim .mot, CSV or C3D model outputs instead"
_MARKERS = (
    f"a file of marker positions; joint angles have to be computed from them first (inverse kinematics): {_ANGLES}"
)
_SKELETON = f"a skeleton's rotations for animation, which are no clinical joint angles; {_ANGLES}"
_RAW = f"a recording in the program's own format; {_ANGLES}"
_TABLE = "save the table as .xlsx or CSV instead"

# Each says "this is ...". The first bytes decide; what is known by its ending alone stands below.
_BY_CONTENT: tuple[tuple[re.Pattern[bytes], str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE | re.DOTALL), said)
    for pattern, said in (
        (rb"\s*HIERARCHY\s+ROOT\b", f"BVH, {_SKELETON}"),
        (rb"PathFileType\s", f"TRC, {_MARKERS}"),
        (rb"NO_OF_FRAMES\s.{0,2000}DATA_INCLUDED\s+6D", f"a Qualisys table of rigid bodies (TSV); {_ANGLES}"),
        (rb"NO_OF_FRAMES\s", f"a Qualisys table (TSV), {_MARKERS}"),
        (rb"Format Version,[\d.]+,", f"a Motive take (CSV) of positions and rotations; {_ANGLES}"),
        (rb"Kaydara FBX Binary|; ?FBX [\d.]+", f"FBX, {_SKELETON}"),
        (rb"glTF", f"glTF, {_SKELETON}"),
        (rb"#?!?[^\n]{0,80}\s*:ASF|:version 1\.10\s+:name", f"ASF, {_SKELETON}"),
        (rb"(#[^\n]*\n)*\s*:FULLY-SPECIFIED", f"AMC, {_SKELETON}"),
        (rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", f"an old Excel workbook (.xls) or another Office 97 document; {_TABLE}"),
        (rb"(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)*<OpenSimDocument", f"an OpenSim model or setup, not a motion; {_ANGLES}"),
        (rb"(<\?xml[^>]*>\s*)?(<\?mso[^>]*>\s*)?<Workbook", f"an Excel 2003 workbook (XML); {_TABLE}"),
        (rb"\s*(<!DOCTYPE html|<html)", "a web page (HTML), perhaps of a sign-in; download the file again"),
        (rb"%PDF-", f"a PDF document; {_ANGLES}"),
        (rb"MATLAB 5\.0 MAT-file", "a MATLAB file (.mat); write a CSV of time and knee angles instead (writetable)"),
        (rb"\x89HDF\r\n", "an HDF5 or MATLAB 7.3 file; write a CSV of time and knee angles instead"),
        (rb"\x93NUMPY", "a NumPy array (.npy); write a CSV of time and knee angles instead"),
        (rb"\x1f\x8b", "compressed (gzip); unpack it first"),
        (rb"7z\xbc\xaf\x27\x1c|Rar!", "an archive; unpack it first"),
        (rb"SQLite format 3\x00", "an SQLite database; write a CSV of time and knee angles instead"),
        (rb"PAR1", "a Parquet table; write a CSV of time and knee angles instead"),
        (rb"....ftyp", f"a video; {_ANGLES}"),
        (rb"\xffBIOSEMI|0       [ -~]{160}", "an EDF or BDF recording of signals (EMG, EEG), without joint angles"),
        (rb"\s*[\[{]\s*[\"{\[\]}]", "JSON; write a CSV of time and knee angles instead"),
    )
)  # fmt: skip
_BY_ENDING: dict[str, str] = {
    ".trc": f"by its name TRC, {_MARKERS}",
    ".trb": f"by its name TRB, {_MARKERS}",
    ".bvh": f"by its name BVH, {_SKELETON}",
    ".fbx": f"by its name FBX, {_SKELETON}",
    ".asf": f"by its name ASF, {_SKELETON}",
    ".amc": f"by its name AMC, {_SKELETON}",
    ".glb": f"by its name glTF, {_SKELETON}",
    ".anc": f"by its name ANC, analog signals such as force plates and EMG; {_ANGLES}",
    ".mvn": f"by its name MVN, {_RAW}; from MVN Analyze export MVNX",
    ".qtm": f"by its name QTM, {_RAW}",
    ".tak": f"by its name a Motive take, {_RAW}",
    ".x1d": f"by its name a Vicon trial, {_RAW}",
    ".x2d": f"by its name a Vicon trial, {_RAW}",
    ".vsk": f"by its name a Vicon skeleton, {_RAW}",
    ".osim": f"by its name an OpenSim model, not a motion; {_ANGLES}",
    ".mat": "by its name a MATLAB file; write a CSV of time and knee angles instead (writetable)",
    ".xls": f"by its name an old Excel workbook; {_TABLE}",
    ".xlsb": f"by its name a binary Excel workbook; {_TABLE}",
    ".ods": f"by its name an OpenDocument table; {_TABLE}",
    ".edf": "by its name an EDF recording of signals (EMG, EEG), without joint angles",
    ".slk": f"by its name a SYLK table; {_TABLE}",
}
_VICON = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*\"?(?:Devices|Trajectories|Model Outputs|Joints|Segments|Events)\"?[,;\t ]*[\r\n]+"
    rb"\"?[\d.]+\"?[,;\t ]*[\r\n]"
)
_OPENSIM = re.compile(rb"(?:^|[\r\n])[ \t]*endheader[,;\t ]*(?:[\r\n]|$)", re.IGNORECASE)
_MVNX = re.compile(rb"(?:\xef\xbb\xbf)?\s*(<\?xml[^>]*>\s*)?(<!--.*?-->\s*|<!DOCTYPE.*?>\s*)*<mvnx\b", re.DOTALL)


def format_of(stream: BinaryIO, path: Path, name: str) -> Format:
    """Tell the format of a file; ``name`` is what its owner calls it. The stream is left at its beginning.

    Raises:
        MotionFileError: It is something else; says what, and what to export instead.
    """
    head = stream.read(HEAD_BYTES)
    stream.seek(0)
    ending = Path(name).suffix.lower()
    for matches, known in _READABLE:
        if matches(head):
            return known
    if head.startswith(b"PK\x03\x04"):
        return _in_archive(stream, path)
    for pattern, said in _BY_CONTENT:
        if pattern.match(head.removeprefix(b"\xef\xbb\xbf")):
            raise MotionFileError(path, None, f"this is {said}")
    if head and ending in _BY_ENDING:
        raise MotionFileError(path, None, f"this is {_BY_ENDING[ending]}")
    if head and ending in (".c3d", ".mvnx", ".xlsx"):
        raise MotionFileError(path, None, f"the file is named {ending} but is no {ending[1:].upper()} file inside")
    return "opensim" if ending in (".mot", ".sto") or _OPENSIM.search(head) else "table"


def _is_c3d(head: bytes) -> bool:
    """A C3D file begins with the number of its parameter block and 0x50; its header is a block of 512 bytes."""
    return len(head) >= 512 and head[1:2] == b"\x50" and head[0] in range(1, 32) and head[:1] not in b"\t\n\r"


_READABLE: tuple[tuple[Callable[[bytes], object], Format], ...] = (
    (_is_c3d, "c3d"),
    (_MVNX.match, "mvnx"),
    (_VICON.match, "vicon"),
)


def _in_archive(stream: BinaryIO, path: Path) -> Format:
    """Tell a workbook from other ZIP archives."""
    with opened(stream, path) as archive:
        names = set(archive.namelist())
    if "xl/workbook.xml" in names:
        return "workbook"
    if "xl/workbook.bin" in names:
        raise MotionFileError(path, None, f"this is a binary Excel workbook (.xlsb); {_TABLE}")
    if "content.xml" in names and "mimetype" in names:
        raise MotionFileError(path, None, f"this is an OpenDocument file (.ods); {_TABLE}")
    raise MotionFileError(path, None, "this is a ZIP archive; unpack it and import the files one by one")
