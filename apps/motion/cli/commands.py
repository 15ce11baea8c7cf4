"""``synovia-motion``: motion files into a hub and out of it, from a terminal."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table

from motion.cli import desktop, operators, recorder, remote
from motion.cli.following import Piece
from motion.demo.seed import PHYSIO, seed
from motion.files import ColumnNames, Motion, MotionFileError, OnProgress, Remedy, read_motion, write_motion
from motion.gait import walk
from synovia import FunctionError, Settings, StoreError
from synovia.cli import without_secret
from synovia_client import ConnectionFailed, ConnectionLost, RequestTimeout, SynoviaError

EXIT_REFUSED = 1
EXIT_USAGE = 2
EXIT_FILE = 3
EXIT_CONNECTION = 4
PIPE_WIDTH = 160
DEFAULT_URL = "ws://127.0.0.1:8000"

app = typer.Typer(
    help="Motion files into a Synovia hub and out of it. Exit codes: 1 the hub refused, 2 wrong usage, 3 a file is at "
    "fault, 4 no hub or database answers.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


class Role(StrEnum):
    """What one can register as."""

    PHYSIOTHERAPIST = "physiotherapist"
    PATIENT = "patient"


class Which(StrEnum):
    """The lists of recordings."""

    MINE = "mine"
    OF_ME = "of_me"
    SHARED = "shared"
    ARCHIVED = "archived"


class Unit(StrEnum):
    """The units of times."""

    SECONDS = "s"
    MILLISECONDS = "ms"
    MICROSECONDS = "us"
    NANOSECONDS = "ns"
    MINUTES = "min"
    DAYS = "days"


FLAGS: dict[Remedy, str] = {
    "columns": "--left-column, --right-column, --time-column",
    "sample_rate": "--sample-rate",
    "time_unit": "--time-unit",
    "angle_unit": "--radians, --degrees",
    "fill_gaps": "--fill-gaps",
}
"""What may be said so that a refused file is read."""


class FileTrouble(Exception):
    """A file cannot be used as asked."""


Url = Annotated[str, typer.Option(envvar="SYNOVIA_URL", help="Where the hub is.")]


def _token(text: str | None) -> str | None:
    """Read a token that is in a file: everybody on a machine may read its command lines."""
    if text is None or not text.startswith("@"):
        return text
    try:
        return Path(text[1:]).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise typer.BadParameter(f"{text[1:]}: {error.strerror}") from None


Token = Annotated[
    str | None,
    typer.Option(
        envvar="SYNOVIA_TOKEN", callback=_token, help="Who signs in: @FILE with a token; dev:EMAIL under synovia dev."
    ),
]
Column = Annotated[str | None, typer.Option(help="The name of this column, where the program cannot find it.")]


@app.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(help="OpenSim or SIMM .mot or .sto, CSV, .xlsx, Vicon's ASCII, MVNX or C3D.")],
    url: Url = DEFAULT_URL,
    token: Token = None,
    subject: Annotated[str | None, typer.Option(help="Who was measured: your own or a contact's e-mail.")] = None,
    alias: Annotated[str, typer.Option(help="A name for a subject without an account.")] = "",
    notes: Annotated[str, typer.Option(help="Notes; by default the file's name.")] = "",
    exercise: Annotated[str, typer.Option(help="The exercise type, as walking.")] = "",
    tag: Annotated[list[str] | None, typer.Option(help="A tag; may be given several times.")] = None,
    start: Annotated[
        datetime | None, typer.Option(help="When it began, local time; by default it ended when FILE was written.")
    ] = None,
    left_column: Column = None,
    right_column: Column = None,
    time_column: Column = None,
    time_unit: Annotated[Unit | None, typer.Option(help="The unit of the times, where the file does not tell.")] = None,
    sample_rate: Annotated[float | None, typer.Option(min=0.001, help="Hz, for a file without times.")] = None,
    radians: Annotated[
        bool | None, typer.Option("--radians/--degrees", help="The file's unit, where its header is silent or wrong.")
    ] = None,
    fill_gaps: Annotated[bool, typer.Option("--fill-gaps", help="Interpolate where samples are missing.")] = False,
    register: Annotated[Role | None, typer.Option(help="Register as this first, if you are not yet.")] = None,
) -> None:
    """Save a motion file as a recording; what the reader assumes or leaves out is told on stderr."""
    with _progress() as progress:
        motion = read_motion(
            file,
            names=ColumnNames(time_column, left_column, right_column),
            radians=radians,
            sample_rate=sample_rate,
            time_unit=None if time_unit is None else time_unit.value,
            allow_uneven=fill_gaps,
            on_progress=_reporter(progress, f"reading {file.name}"),
        )
        told = {"subjectAlias": alias, "notes": notes or file.name, "exerciseType": exercise, "tags": tag or []}
        upload = remote.Upload(motion, {**told, **_span(file, motion, start)}, subject, register)
        report = _reporter(progress, "uploading")
        recording_id = asyncio.run(remote.save(remote.Hub(url, token), upload, report))
    for warning in motion.warnings:
        typer.secho(f"synovia-motion: {file}: warning: {warning}", fg=typer.colors.YELLOW, err=True)
    typer.echo(f"saved {recording_id}: {_described(motion)}")


@app.command("export")
def export_file(
    recording_id: Annotated[str, typer.Argument(help="The id, as synovia-motion list shows it.")],
    file: Annotated[Path, typer.Argument(help="Where to: a .mot, .sto or .csv file.")],
    url: Url = DEFAULT_URL,
    token: Token = None,
    force: Annotated[bool, typer.Option("--force", help="Replace FILE if it exists.")] = False,
) -> None:
    """Write a recording to a motion file, which reads back bit for bit."""
    if file.suffix.lower() not in (".mot", ".sto", ".csv"):
        raise FileTrouble(f"{file}: a motion file ends in .mot, .sto or .csv")
    if file.exists() and not force:
        raise FileTrouble(f"{file} exists; --force replaces it")
    with _progress() as progress:
        left, right = _reporter(progress, "left knee"), _reporter(progress, "right knee")
        motion = asyncio.run(remote.fetch(remote.Hub(url, token), recording_id, left, right))
        try:
            write_motion(file, motion, on_progress=_reporter(progress, f"writing {file.name}"))
        except OSError as error:
            raise FileTrouble(f"{file}: {error.strerror or error}") from None
    typer.echo(f"wrote {file}: {_described(motion)}")


@app.command("list")
def list_recordings(
    which: Annotated[Which, typer.Argument(help="Your own, those of you, those shared with you, or your archive.")] = (
        Which.MINE
    ),
    url: Url = DEFAULT_URL,
    token: Token = None,
    limit: Annotated[int, typer.Option(min=1, max=200)] = 50,
) -> None:
    """List recordings, the newest first."""
    recordings = asyncio.run(remote.listed(remote.Hub(url, token), which, limit))
    table = Table(box=None, pad_edge=False)
    table.add_column("id", no_wrap=True)
    for header in ("began", "seconds", "samples", "Hz", "exercise", "notes", "tags"):
        table.add_column(header)
    for recording in recordings:
        table.add_row(*map(escape, _row(recording)))
    console = Console(width=None if sys.stdout.isatty() else PIPE_WIDTH, emoji=False)
    console.print(table if recordings else "no recordings")


@app.command("live")
def live(
    url: Url = DEFAULT_URL,
    token: Token = None,
    rate: Annotated[float, typer.Option(min=0.001, max=2000, help="Samples a second and knee, in Hz.")] = 100.0,
    every: Annotated[float, typer.Option(min=0.02, max=60, help="Seconds from one batch to the next.")] = 0.1,
    simulate: Annotated[float | None, typer.Option(min=0.1, help="Walk for so many seconds; nothing is read.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Which walk.")] = 0,
    subject: Annotated[str | None, typer.Option(help="Who is measured: your own or a contact's e-mail.")] = None,
    alias: Annotated[str, typer.Option(help="A name for a subject without an account.")] = "",
    notes: str = "",
    exercise: Annotated[str, typer.Option(help="The exercise type, as walking.")] = "",
    tag: Annotated[list[str] | None, typer.Option(help="A tag; may be given several times.")] = None,
    register: Annotated[Role | None, typer.Option(help="Register as this first, if you are not yet.")] = None,
) -> None:
    """Record live: lines LEFT,RIGHT in degrees from the standard input, as they come; their end, or Ctrl+C, saves it."""
    told = {"notes": notes, "exerciseType": exercise, "tags": tag or []}
    session = recorder.Session(rate, {"subjectAlias": alias}, told, subject, register)
    gait = None if simulate is None else walk(simulate, seed=seed, sample_rate=rate)

    async def run() -> tuple[str, int]:
        batches = recorder.piped(sys.stdin, every) if gait is None else recorder.simulated(gait, every)
        return await recorder.record(remote.Hub(url, token), session, batches, started)

    def started(session_id: str) -> None:
        typer.echo(f"recording; to watch: synovia-motion watch {session_id}")

    recording_id, count = asyncio.run(run())
    typer.echo(f"saved {recording_id}: {count:,} samples a side at {rate:g} Hz")


@app.command("watch")
def watch(
    session_id: Annotated[str, typer.Argument(help="The live session, as synovia-motion live tells it.")],
    url: Url = DEFAULT_URL,
    token: Token = None,
) -> None:
    """Watch a live session grow until it is finished."""

    def show(piece: Piece) -> None:
        if len(piece.left_knee):
            end, left, right = piece.start + len(piece.left_knee), piece.left_knee[-1], piece.right_knee[-1]
            seconds = end / piece.session["sampleRate"]
            typer.echo(f"{seconds:9.2f} s {end:>9,} samples   left {left:8.2f}   right {right:8.2f}")

    recording_id = asyncio.run(recorder.watch(remote.Hub(url, token), session_id, show))
    typer.echo(f"saved as {recording_id}")


@app.command("seed")
def fill(
    url: Annotated[str, typer.Option(envvar="SYNOVIA_URL", help="Where `synovia dev` runs.")] = DEFAULT_URL,
) -> None:
    """Fill a development server with people and recordings to look at."""
    asyncio.run(seed(url))
    typer.echo(f"There are people and recordings now: sign in as {PHYSIO}.")


@app.command("desktop")
def open_desktop(
    url: Annotated[str, typer.Option(envvar="SYNOVIA_URL", help="Where the hub is.")] = DEFAULT_URL,
) -> None:
    """Open the Motion Desk as a program with a window of its own."""
    sys.exit(desktop.run(url))


@app.command("admin")
def make_admin(
    email: Annotated[str, typer.Argument(help="Whose account; one that is not there yet is made for this address.")],
    store: Annotated[
        str | None,
        typer.Option(help="The database; by default SYNOVIA_STORE, which may also hold a password."),
    ] = None,
) -> None:
    """Make somebody an admin, as the operator: in the database, without a hub."""
    try:
        where = without_secret(store) or Settings().store
    except ValidationError as error:
        raise typer.BadParameter(f"a SYNOVIA_ variable: {error.errors()[0]['msg']}") from None
    if where is None:
        raise typer.BadParameter("say which database: --store or SYNOVIA_STORE")
    account = asyncio.run(operators.appoint(where, email))
    typer.echo(f"{account['email']} is an admin")


def main(args: Sequence[str] | None = None) -> None:
    """Run the command line; every foreseeable failure ends in one line on stderr and an exit code."""
    try:
        app(args=args, prog_name="synovia-motion")
    except MotionFileError as error:
        _fail(f"{error}{_hint(error)}", EXIT_FILE)
    except FileTrouble as error:
        _fail(str(error), EXIT_FILE)
    except (remote.Unreachable, ConnectionFailed, ConnectionLost, RequestTimeout) as error:
        _fail(str(error), EXIT_CONNECTION)
    except desktop.Missing as error:
        _fail(str(error), EXIT_USAGE)
    except StoreError as error:
        _fail(f"the store: {error}", EXIT_CONNECTION)
    except (remote.Refused, SynoviaError, FunctionError) as error:
        _fail(str(error), EXIT_REFUSED)
    except OSError as error:
        _fail(f"{error.filename or ''}: {error.strerror or error}".removeprefix(": "), EXIT_FILE)


def _hint(error: MotionFileError) -> str:
    """Name the options that may help."""
    flags = ", ".join(FLAGS[remedy] for remedy in error.remedies)
    return f" ({flags})" if flags else ""


def _fail(message: str, code: int) -> None:
    typer.secho(f"synovia-motion: {message}", fg=typer.colors.RED, err=True)
    sys.exit(code)


# --- what the terminal shows ------------------------------------------------------------------------------------------


def _progress() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    return Progress(*columns, console=Console(stderr=True, emoji=False))


def _reporter(progress: Progress, description: str) -> OnProgress:
    """Make a callback that draws one bar, which appears with the first call."""
    task = progress.add_task(escape(description), total=None, visible=False)

    def report(done: int, total: int) -> None:
        progress.update(task, completed=done, total=total, visible=True)

    return report


def _span(file: Path, motion: Motion, start: datetime | None) -> dict[str, int]:
    """Tell when a recording began and ended, in UTC milliseconds; a file says only when it was written."""
    duration = round(motion.duration_ms)
    if start is not None:
        began = round(start.astimezone(UTC).timestamp() * 1000)
    else:
        began = max(round(file.stat().st_mtime * 1000) - duration, 0)
    return {"startTime": began, "endTime": began + duration}


def _described(motion: Motion) -> str:
    side = "a side" if len(motion.knees) > 1 else f"of the {next(iter(motion.knees))} knee"
    return f"{motion.sample_count:,} samples {side} at {motion.sample_rate:g} Hz, {motion.duration_ms / 1000:g} s"


def _row(recording: dict[str, Any]) -> list[str]:
    began = datetime.fromtimestamp(recording["startTime"] / 1000, UTC).astimezone()
    return [
        recording["_id"],
        f"{began:%Y-%m-%d %H:%M}",
        f"{recording['durationMs'] / 1000:g}",
        f"{recording['sampleCount']:,}",
        f"{recording['sampleRate']:g}",
        recording.get("exerciseType", ""),
        recording.get("notes", ""),
        ", ".join(recording.get("tags", [])),
    ]
