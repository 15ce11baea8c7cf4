"""A motion file in the body of a request: kept on the disk while it comes, then read in a thread."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator
from pydantic.alias_generators import to_camel
from starlette.datastructures import QueryParams

from motion.domain.bounds import Alias, ExerciseType, Hertz, Millis, Notes, Tags
from motion.files import READABLE, ColumnNames, Motion, MotionFileError, Remedy, TimeUnit, read_motion
from motion.schema import User
from synovia import FunctionError, Id, InvalidArguments

T = TypeVar("T")
Column = Annotated[str, StringConstraints(min_length=1, max_length=200)]

READERS = 2
"""So many files are read at the same time; more wait. Reading one takes a core, and time from everybody else here."""
_PART_BYTES = 1 << 20
_readers = ThreadPoolExecutor(READERS, "motion file")


class Options(BaseModel):
    """What the address of an upload says about the file and the recording; see ``recordings:save`` and ``read_motion``."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid")

    name: Annotated[str, StringConstraints(strip_whitespace=True, max_length=255)] = "recording"
    subject_id: Id[User] | None = None
    subject_alias: Alias = ""
    notes: Notes | None = None
    exercise_type: ExerciseType = ""
    tag: Annotated[Tags, Field(default_factory=list)]
    start_time: Millis | None = None
    end_time: Millis | None = None
    left_column: Column | None = None
    right_column: Column | None = None
    time_column: Column | None = None
    time_unit: TimeUnit | None = None
    sample_rate: Hertz | None = None
    radians: bool | None = None
    fill_gaps: bool = False

    @model_validator(mode="after")
    def _plain_name(self) -> Self:
        self.name = PurePosixPath(self.name.replace("\\", "/")).name
        if not self.name or not self.name.isprintable():
            raise ValueError("the name of a file has printable characters")
        return self

    @classmethod
    def of(cls, query: QueryParams) -> Options:
        """Read the query of an address.

        Raises:
            InvalidArguments: Something in it is unknown, or cannot be.
        """
        given: dict[str, Any] = {key: values if key == "tag" else values[0] for key, values in _grouped(query).items()}
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            faults = [
                {"at": ".".join(map(str, fault["loc"])), "message": fault["msg"]}
                for fault in error.errors(include_url=False)
            ]
            raise InvalidArguments(
                "; ".join(f"{fault['at']}: {fault['message']}" for fault in faults), faults
            ) from None

    def args(self) -> dict[str, Any]:
        """Give the arguments of ``recordings:save`` that do not come from the file."""
        by_name = self.name if "name" in self.model_fields_set else ""
        told = {
            "subjectId": self.subject_id,
            "subjectAlias": self.subject_alias,
            "notes": by_name if self.notes is None else self.notes,
            "exerciseType": self.exercise_type,
            "tags": self.tag,
            "startTime": self.start_time,
            "endTime": self.end_time,
        }
        return {name: value for name, value in told.items() if value is not None}


def _grouped(query: QueryParams) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = {}
    for key, value in query.multi_items():
        grouped.setdefault(key, []).append(value)
        if len(grouped[key]) > 1 and key != "tag":
            raise InvalidArguments(f"{key} is given twice")
    return grouped


REMEDIES: dict[Remedy, list[str]] = {
    "columns": ["leftColumn", "rightColumn", "timeColumn"],
    "sample_rate": ["sampleRate"],
    "time_unit": ["timeUnit"],
    "angle_unit": ["radians"],
    "fill_gaps": ["fillGaps"],
}
"""What the address of an upload has to say so that a refused file is read."""


class BadMotionFile(FunctionError):
    """A file cannot be read; the message names it, its line and what is wrong there, as ``walk.mot:14: ...``.

    Its data has the ``line`` and the ``reason``, and where they help, the ``options`` of an upload that may be given and
    the ``columns`` to choose from.
    """

    def __init__(self, name: str, error: MotionFileError) -> None:
        place = name if error.line is None else f"{name}:{error.line}"
        data: dict[str, Any] = {"line": error.line, "reason": error.reason}
        if error.remedies:
            data["options"] = [option for remedy in error.remedies for option in REMEDIES[remedy]]
        if error.columns:
            data["columns"] = list(error.columns)
        super().__init__("bad_motion_file", f"{place}: {error.reason}", data)


async def in_reader(work: Callable[[], T]) -> T:
    """Do what takes long in a thread of its own kind, so that the others stay free."""
    return await asyncio.get_running_loop().run_in_executor(_readers, work)


async def read_upload(parts: AsyncIterator[bytes], options: Options) -> Motion:
    """Read a motion file that comes in parts; nothing of it stays.

    Raises:
        BadMotionFile: It is damaged, or no motion file.
    """
    async with _folder() as folder:
        suffix = PurePosixPath(options.name).suffix.lower()
        path = folder / f"upload{suffix if suffix in READABLE else ''}"
        await _keep(parts, path)
        try:
            return await in_reader(lambda: _read(path, options))
        except MotionFileError as error:
            raise BadMotionFile(options.name, error) from None


@asynccontextmanager
async def _folder() -> AsyncIterator[Path]:
    folder = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="motion-"))
    try:
        yield folder
    finally:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


async def _keep(parts: AsyncIterator[bytes], path: Path) -> None:
    """Write a body to a file, a megabyte at a time and never on the event loop."""
    buffer = bytearray()
    with await asyncio.to_thread(path.open, "wb") as file:
        async for part in parts:
            buffer += part
            if len(buffer) >= _PART_BYTES:
                await asyncio.to_thread(file.write, bytes(buffer))
                buffer.clear()
        await asyncio.to_thread(file.write, bytes(buffer))


def _read(path: Path, options: Options) -> Motion:
    return read_motion(
        path,
        names=ColumnNames(options.time_column, options.left_column, options.right_column),
        radians=options.radians,
        sample_rate=options.sample_rate,
        time_unit=options.time_unit,
        file_name=options.name,
        allow_uneven=options.fill_gaps,
    )
