"""Motion files that want to cost far more than they weigh."""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

from helpers.motion_files import LEFT, c3d_file, workbook_file, workbook_parts

MB = 1 << 20


def zip_bomb(folder: Path) -> Path:
    """A sheet of 320 MB of blanks in 0.3 MB."""
    path = folder / "bomb.xlsx"
    parts = workbook_parts({"S": ""})
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in parts.items():
            if "sheet1" not in name:
                archive.writestr(name, part)
        with archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as sheet:
            for _ in range(320):
                sheet.write(b" " * MB)
    return path


def lying_sizes(folder: Path) -> Path:
    """A workbook whose directory says that a sheet of 64 MB has ten bytes."""
    path = workbook_file(
        folder / "lies.xlsx", {**workbook_parts({"S": ""}), "xl/worksheets/sheet1.xml": b" " * 64 * MB}
    )
    data = path.read_bytes().replace(struct.pack("<L", 64 * MB), struct.pack("<L", 10))
    path.write_bytes(data)
    return path


def many_members(folder: Path) -> Path:
    """An archive of 60,000 empty files."""
    path = folder / "many.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        for at in range(60_000):
            archive.writestr(f"{at}", b"")
        archive.writestr("xl/workbook.xml", b"<workbook/>")
    return path


def _sheet(folder: Path, rows: str | bytes, strings: list[str] | None = None) -> Path:
    parts: dict[str, str | bytes] = {**workbook_parts({"S": ""}, strings or ())}
    head, tail = str(parts["xl/worksheets/sheet1.xml"]).split("</sheetData>")
    content = rows if isinstance(rows, bytes) else rows.encode()
    parts["xl/worksheets/sheet1.xml"] = head.encode() + content + b"</sheetData>" + tail.encode()
    return workbook_file(folder / "sheet.xlsx", parts)


HEAD = '<row r="1"><c r="A1" t="inlineStr"><is><t>left_knee</t></is></c></row><row r="2"><c r="A2"><v>1</v></c></row>'


def long_tag(folder: Path) -> Path:
    """A tag with an attribute of 100 MB."""
    return _sheet(folder, b'<row r="' + b"1" * 100 * MB + b'"/>')


def many_cells(folder: Path, count: int = 20_000_000) -> Path:
    """A row of millions of cells."""
    return _sheet(folder, HEAD.encode() + b"<row>" + b"<c/>" * count + b"</row>")


def wide_rows(folder: Path) -> Path:
    """Rows with one cell each, in the last column there is."""
    return _sheet(folder, HEAD.encode() + b'<row><c r="XFD1"><v>1</v></c></row>' * 200_000)


def repeated_text(folder: Path) -> Path:
    """A text of 30,000 characters to which 100,000 cells refer."""
    cells = b'<row><c t="s"><v>0</v></c><c t="s"><v>0</v></c><c t="s"><v>0</v></c></row>' * 100_000
    return _sheet(folder, HEAD.encode() + cells, ["x" * 30_000])


def deep_xml(folder: Path) -> Path:
    """Elements nested a million deep."""
    path = folder / "deep.mvnx"
    path.write_bytes(b"<mvnx>" + b"<a>" * 1_000_000)
    return path


ENTITIES = "".join(f'<!ENTITY e{at} "{f"&e{at - 1};" * 10}">' for at in range(1, 12))


def entity_expansion(folder: Path) -> Path:
    """Entities that make 10^11 letters of a few."""
    path = folder / "laughs.mvnx"
    path.write_text(f'<?xml version="1.0"?><!DOCTYPE mvnx [<!ENTITY e0 "ha">{ENTITIES}]><mvnx>&e11;</mvnx>')
    return path


def entities_in_a_workbook(folder: Path) -> Path:
    """The same in a workbook's texts."""
    parts = workbook_parts({"S": HEAD})
    parts["xl/sharedStrings.xml"] = f'<!DOCTYPE sst [<!ENTITY e0 "ha">{ENTITIES}]><sst><si><t>&e11;</t></si></sst>'
    return workbook_file(folder / "laughs.xlsx", parts)


def mvnx_of_one_tag(folder: Path) -> Path:
    """An MVNX file that is a tag of 100 MB."""
    path = folder / "tag.mvnx"
    path.write_bytes(b'<mvnx version="' + b"4" * 100 * MB + b'">')
    return path


def mvnx_of_empty_frames(folder: Path) -> Path:
    """Many frames with nothing in them."""
    path = folder / "frames.mvnx"
    joints = b'<joints><joint label="jLeftKnee"/></joints>'
    path.write_bytes(b"<mvnx>" + joints + b"<frame/>" * 200_000 + b"</mvnx>")
    return path


def _c3d(folder: Path, name: str, change: Callable[[bytearray], None]) -> Path:
    path = c3d_file(folder / f"{name}.c3d", {"LKneeAngles": LEFT, "RKneeAngles": LEFT})
    data = bytearray(path.read_bytes())
    change(data)
    path.write_bytes(data)
    return path


def _parameter(name: bytes, format: str, *values: float) -> Callable[[bytearray], None]:
    """Overwrite the dimensions, or the data if there are none, of each parameter of a name."""

    def change(data: bytearray) -> None:
        at = data.find(name)
        while at >= 0:
            struct.pack_into(format, data, at + len(name) + 3, *values)
            at = data.find(name, at + 1)

    return change


def absurd_c3d(folder: Path) -> Iterator[Path]:
    """C3D files with counts, rates, places and dimensions that cannot be."""

    def poke(at: int, format: str, *values: float) -> Callable[[bytearray], None]:
        return lambda data: struct.pack_into(format, data, at, *values)

    yield _c3d(folder, "points", poke(2, "<H", 65535))
    yield _c3d(folder, "analog", poke(4, "<H", 65535))
    yield _c3d(folder, "frames", poke(8, "<H", 65535))
    yield _c3d(folder, "scale", poke(12, "<f", float("nan")))
    yield _c3d(folder, "data", poke(16, "<H", 65535))
    yield _c3d(folder, "data first", poke(16, "<H", 0))
    yield _c3d(folder, "parameters", poke(0, "<B", 31))
    yield _c3d(folder, "processor", poke(515, "<B", 99))

    def offsets(data: bytearray) -> None:
        for at in range(512, 1024, 7):
            struct.pack_into("<h", data, at, -3)

    yield _c3d(folder, "offsets", offsets)
    yield _c3d(folder, "used", _parameter(b"USED", "<BH", 0, 65535))
    yield _c3d(folder, "no points", _parameter(b"USED", "<BH", 0, 0))
    yield _c3d(folder, "rate", _parameter(b"RATE", "<Bf", 0, float("inf")))
    yield _c3d(folder, "dimensions", _parameter(b"LABELS", "<7B", 6, 255, 255, 255, 255, 255, 255))
    yield _c3d(folder, "two dimensions", _parameter(b"LABELS", "<3B", 2, 255, 255))


def one_line(folder: Path) -> Iterator[Path]:
    """Megabytes without the end of a line, of different kinds."""
    for name, content in (
        ("digits.csv", b"1" * 100 * MB),
        ("commas.csv", b"," * 4 * MB),
        ("quotes.csv", b'"' * 4 * MB),
        ("header.mot", b"Coordinates" + b" " * 4 * MB),
        ("row.csv", b"time,left_knee\n0,1\n" + b"1," * 4 * MB),
        ("returns.csv", b"time,left_knee\r0,1\r" + b"9" * 4 * MB),
    ):
        path = folder / name
        path.write_bytes(content)
        yield path


def odd_text(folder: Path) -> Iterator[Path]:
    """Zero bytes, encodings that are mixed, and UTF-16 in each of its forms."""
    text = "time,left_knee,right_knee\n0,1,2\n0.01,1,2\n"
    for name, content in (
        ("zeros.csv", b"\0" * MB),
        ("zero.csv", text.encode().replace(b"0.01", b"0.\x001")),
        ("utf-16.csv", text.encode("utf-16")),
        ("utf-16-be.csv", b"\xfe\xff" + text.encode("utf-16-be")),
        ("utf-16-le.csv", text.encode("utf-16-le")),
        ("utf-32.csv", text.encode("utf-32")),
        ("mixed.csv", text.encode() + b"0.02,1\xe9,2\xc3\xa9\n"),
        ("controls.csv", text.encode() + b"\x1b[31m,1,2\n"),
        ("times.csv", b"time,left_knee\n0,1\n1e-9,1\n1e300,1\n"),
        ("infinite.csv", b"time,left_knee\n-1e308,1\n0,1\n1e308,1\n"),
        ("same.csv", b"time,left_knee\n" + b"5,1\n" * 1000),
        ("tiny.csv", b"time,left_knee\n" + b"".join(b"%d%d\n" % (at, at) for at in range(9))),
    ):
        path = folder / name
        path.write_bytes(content)
        yield path
