"""What shows a result as a table: in a notebook, or as a data frame."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from html import escape
from typing import TYPE_CHECKING, Any

from synovia_client.errors import SynoviaError
from synovia_client.frames import columns_of, to_pandas, to_polars
from synovia_protocol.messages import ArrayRef

if TYPE_CHECKING:
    import pandas
    import polars

MOST_ROWS = 20
MOST_COLUMNS = 12
_LONGEST = 80


class Tabular:
    """Somebody with a result."""

    _path = ""

    @property
    def value(self) -> Any:
        """The newest result; None before the first."""
        raise NotImplementedError

    @property
    def error(self) -> SynoviaError | None:
        """Why there is no newer one."""
        raise NotImplementedError

    def to_pandas(self, *, index: str | None = None) -> pandas.DataFrame:
        """Give the newest result as a data frame; see ``synovia_client.to_pandas``."""
        return to_pandas(self.value, index=index)

    def to_polars(self) -> polars.DataFrame:
        """Give the newest result as a data frame of polars; see ``synovia_client.to_polars``."""
        return to_polars(self.value)

    def __repr__(self) -> str:
        name = f"{type(self).__name__} of {self._path}" if self._path else type(self).__name__
        return f"<{name}: {summary(self.value, self.error)}>"

    def _repr_html_(self) -> str:
        """Show the newest result in a notebook."""
        return as_html(self.value, self.error)


def as_html(result: Any, error: SynoviaError | None = None) -> str:
    """Give a result as a table for a notebook, its first rows and columns."""
    trouble = "" if error is None else f"<p><b>{escape(str(error))}</b></p>"
    try:
        columns = columns_of(result)
    except TypeError:
        return f"{trouble}<pre>{escape(_text(result))}</pre>"
    if not columns:
        return f"{trouble}<p><i>{'nothing yet' if result is None else 'no rows'}</i></p>"
    shown = dict(list(columns.items())[:MOST_COLUMNS])
    rows = zip(*(values[:MOST_ROWS] for values in shown.values()), strict=True)
    head, body = _row("th", shown), "".join(_row("td", map(_text, row)) for row in rows)
    table = f"<table><thead>{head}</thead><tbody>{body}</tbody></table>"
    return f"{trouble}{table}<p><small>{_extent(columns)}</small></p>"


def summary(result: Any, error: SynoviaError | None = None) -> str:
    """Say in a line what a result is, and why there is no newer one."""
    rows = _rows(len(result)) if isinstance(result, list) else _text(result)
    text = "nothing yet" if result is None else rows
    return text if error is None else f"{text}; {error}"


def _rows(length: int) -> str:
    return f"{length:,} row{'' if length == 1 else 's'}"


def _extent(columns: dict[str, list[Any]]) -> str:
    length = len(next(iter(columns.values())))
    rows = _rows(length)
    rows += f", the first {MOST_ROWS} shown" if length > MOST_ROWS else ""
    return rows + (f"; {MOST_COLUMNS} of {len(columns)} columns" if len(columns) > MOST_COLUMNS else "")


def _row(tag: str, cells: Iterable[str]) -> str:
    return f"<tr>{''.join(f'<{tag}>{escape(cell)}</{tag}>' for cell in cells)}</tr>"


def _text(value: Any) -> str:
    text = _whole_text(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _whole_text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, ArrayRef):
        return f"{value.dtype}{list(value.shape)}"
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="milliseconds" if value.microsecond else "seconds")
    return value if isinstance(value, str) else repr(value)
