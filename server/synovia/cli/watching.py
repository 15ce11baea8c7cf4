"""``synovia logs``, ``data`` and ``call``: what a hub that runs does and holds, wherever it is."""

from __future__ import annotations

import datetime as dt
import json
import os
import re
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import aclosing
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from synovia.cli.hub import HubAddress, HubConnection, connected, followed
from synovia.cli.options import JsonOption
from synovia.cli.reporting import FAILED, counted, err, fail, out, run_to_end, say
from synovia.cli.running import to_json
from synovia.cli.visible import set_in, visible

UrlOption = Annotated[
    str, typer.Option("--url", envvar="SYNOVIA_URL", help="Where the hub is; the key in SYNOVIA_KEY or ..._FILE.")
]
HERE = "http://127.0.0.1:8000"
FollowOption = Annotated[bool, typer.Option("--follow", "-f", help="Go on with whatever comes, until interrupted.")]
MOST_AT_ONCE = 200
Kinds = Literal["query", "mutation", "action", "route"]
_TESTS = {"=": "eq", "!=": "ne", "<": "lt", "<=": "le", ">": "gt", ">=": "ge", "~": "contains"}
_CONDITION = re.compile(r"(?P<field>[^=!<>~]+)(?P<test>!=|<=|>=|=|<|>|~)(?P<value>.*)", re.DOTALL)


def address_of(url: str) -> HubAddress:
    """Give a hub's address with the key of the environment.

    Raises:
        BadParameter: The file with the key cannot be read.
    """
    file = os.environ.get("SYNOVIA_KEY_FILE")
    try:
        key = os.environ.get("SYNOVIA_KEY") or (Path(file).read_text(encoding="utf-8").strip() if file else None)
    except (OSError, UnicodeError) as error:
        raise typer.BadParameter(f"SYNOVIA_KEY_FILE: {error}") from None
    return HubAddress(url, key)


def _told(text: str) -> None:
    err.print(visible(text), highlight=False, markup=False, soft_wrap=True)


def _print_json(value: Any) -> None:
    """Print one line of JSON, for programs that read lines."""
    say(json.dumps(to_json(value), ensure_ascii=False))


# --- logs -------------------------------------------------------------------------------------------------------------


def logs(
    url: UrlOption = HERE,
    follow: FollowOption = False,
    failed: Annotated[bool, typer.Option("--failed", help="Only calls that have not ended well.")] = False,
    path: Annotated[str | None, typer.Option("--path", help="A part of the function's path.")] = None,
    kind: Annotated[Kinds | None, typer.Option("--kind", help="query, mutation, action or route.")] = None,
    caller: Annotated[str | None, typer.Option("--caller", help="A part of who called.")] = None,
    text: Annotated[str | None, typer.Option("--text", help="In the path, the caller, an error or a line.")] = None,
    slower_than: Annotated[float, typer.Option("--slower-than", min=0, help="Milliseconds.")] = 0.0,
    limit: Annotated[int, typer.Option(min=1, max=500, help="So many of the newest to begin with.")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON object in each line.")] = False,
) -> None:
    """Show the calls of a hub as they have ended, with the lines that their functions have logged."""
    wanted = {"failed": failed, "path": path, "kind": kind, "caller": caller, "text": text, "slowerThan": slower_than}
    run_to_end(_show_calls(address_of(url), wanted, limit, follow=follow, as_json=as_json))


async def _show_calls(
    address: HubAddress, wanted: Mapping[str, Any], limit: int, *, follow: bool, as_json: bool
) -> None:
    most = 500 if follow else limit
    last = 0
    async with aclosing(_calls(address, {**wanted, "limit": most}, follow)) as results:
        async for calls in results:
            newest = [call for call in calls if call["number"] > last]
            if calls and calls[0]["number"] < last:  # the hub was started again, and counts anew
                newest = calls
            for call in reversed(newest[: limit if last == 0 else None]):
                _print_json(call) if as_json else _print_call(call)
            last = calls[0]["number"] if calls else last


async def _calls(address: HubAddress, args: dict[str, Any], follow: bool) -> AsyncGenerator[Any, None]:
    """Give the newest calls; and if that is wanted, those after each change."""
    path = "_system/logs:recent"
    if not follow:
        async with connected(address) as hub:
            await _say_which(hub)
            yield await hub.query(path, args)
        return
    async with aclosing(followed(address, path, args, _told, _say_which)) as results:
        async for result in results:
            yield result


async def _say_which(hub: HubConnection) -> None:
    """Say whose calls are shown, where there may be several hubs."""
    found = await hub.query("_system/health:hub", {})
    if found["shared"]:
        _told(f"the calls at hub {found['hub']}; other hubs of its database have logs of their own, at their --url")


def _print_call(call: Mapping[str, Any]) -> None:
    ended = dt.datetime.fromtimestamp(call["endedAt"] / 1000).astimezone()
    who = call.get("callerName") or call.get("caller") or ("the application" if call.get("inside") else None)
    words = [
        f"{ended:%H:%M:%S.%f}"[:-3], f"#{call['number']}", call["kind"], call["path"], call["outcome"],
        f"{call['milliseconds']:.1f} ms", f"read {call['read']}", f"wrote {call['written']}",
    ]  # fmt: skip
    words += [f"by {who}"] if who else []
    words += [f"from #{call['cause']}"] if call.get("cause") is not None else []
    say(set_in("  ".join(words) + (f"  {call['message']}" if call.get("message") else "")))
    for line in call.get("lines", ()):
        say(set_in(f"    {line['level']}: {line['text']}"))


# --- data -------------------------------------------------------------------------------------------------------------


def data(
    table: Annotated[str | None, typer.Argument(metavar="[TABLE]", help="Without it, the tables are listed.")] = None,
    url: UrlOption = HERE,
    where: Annotated[
        list[str] | None,
        typer.Option("--where", help="FIELD=VALUE, also !=, <, <=, >, >=, ~ (contains the text); again for more."),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="So many documents.")] = 20,
    descending: Annotated[bool, typer.Option("--desc", help="The newest ids first.")] = False,
    follow: FollowOption = False,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON object in each line.")] = False,
) -> None:
    """Show the documents of a table of a hub that runs, or its tables; --follow tells what changes among them."""
    address = address_of(url)
    if table is None:
        run_to_end(_show_tables(address, as_json=as_json))
        return
    args = {"table": table, "where": [*map(_condition, where or ())], "descending": descending}
    if follow:
        if limit > MOST_AT_ONCE:
            raise typer.BadParameter(f"--follow shows {MOST_AT_ONCE} documents at most")
        run_to_end(_follow_rows(address, {**args, "limit": limit}, as_json=as_json))
    else:
        run_to_end(_show_rows(address, args, limit, as_json=as_json))


def _condition(text: str) -> dict[str, Any]:
    """Read a condition; a value that is JSON is that, any other is a text.

    Raises:
        BadParameter: It is none.
    """
    found = _CONDITION.fullmatch(text)
    if found is None:
        raise typer.BadParameter(f"--where {text!r}: write FIELD=VALUE, or with !=, <, <=, >, >=, ~")
    try:
        value = json.loads(found["value"])
    except ValueError:
        value = found["value"]
    return {"field": found["field"].strip(), "test": _TESTS[found["test"]], "value": value}


async def _show_tables(address: HubAddress, *, as_json: bool) -> None:
    async with connected(address) as hub:
        for table in await hub.query("_system/data:tables", {}):
            _print_json(table) if as_json else say(f"{table['name']}: {counted(table['count'])}")


async def _show_rows(address: HubAddress, args: Mapping[str, Any], limit: int, *, as_json: bool) -> None:
    shown, cursor = 0, None
    async with connected(address) as hub:
        while shown < limit:
            some = {**args, "limit": min(limit - shown, MOST_AT_ONCE), "cursor": cursor}
            page = await hub.query("_system/data:rows", some)
            if cursor is None:
                _tell_notes(page)
            for row in page["rows"]:
                _print_row(row, as_json=as_json)
            shown += len(page["rows"])
            if (cursor := page.get("nextCursor")) is None:
                return
    _told(f"{counted(shown)} shown; there are more (--limit)")


def _tell_notes(page: Mapping[str, Any]) -> None:
    for note in page.get("notes", ()):
        _told(f"note: {note}")


def _tell_part(page: Mapping[str, Any], limit: int) -> None:
    if page.get("nextCursor") is not None and len(page["rows"]) < limit:
        _told(f"note: no index finds what is looked for, so only among the first {counted(page['examined'])}")


def _document(row: Mapping[str, Any]) -> dict[str, Any]:
    return {**row["document"], **row.get("arrays", {})}


def _print_row(row: Mapping[str, Any], *, as_json: bool, sign: str = "") -> None:
    document = _document(row)
    if as_json:
        _print_json({"change": sign, "document": document} if sign else document)
        return
    misfit = row.get("misfit")
    say(f"{sign}{' ' if sign else ''}{json.dumps(to_json(document), ensure_ascii=False)}")
    if misfit:
        _told(f"    {row['id']} does not fit its table: {misfit['field'] or 'as a whole'}: {misfit['reason']}")


async def _follow_rows(address: HubAddress, args: dict[str, Any], *, as_json: bool) -> None:
    before: dict[str, Any] | None = None
    async with aclosing(followed(address, "_system/data:rows", args, _told)) as results:
        async for page in results:
            if before is None:
                _tell_notes(page)
                _tell_part(page, args["limit"])
            now = {row["id"]: row for row in page["rows"]}
            for sign, row in _changes(before, now):
                _print_row(row, as_json=as_json, sign=sign)
            before = now


def _changes(before: Mapping[str, Any] | None, now: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Give what has come (+), changed (*) and gone (-) since; at first all, without a sign."""
    if before is None:
        yield from (("", row) for row in now.values())
        return
    yield from (("-", row) for id_, row in before.items() if id_ not in now)
    for id_, row in now.items():
        if id_ not in before:
            yield "+", row
        elif row != before[id_]:
            yield "*", row


# --- call -------------------------------------------------------------------------------------------------------------


def call(
    function: Annotated[str, typer.Argument(metavar="FUNCTION", help="As recordings:list_mine, internal ones too.")],
    args: Annotated[str, typer.Argument(metavar="ARGS", help="One JSON object, names in camelCase.")] = "{}",
    url: UrlOption = HERE,
    caller: Annotated[
        str | None,
        typer.Option("--as", metavar="ISSUER|SUBJECT", help="As somebody, or nobody; else as the application itself."),
    ] = None,
    role: Annotated[
        list[str] | None, typer.Option("--role", help="A role of whom it is called as; again for more.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Call a function at a hub that runs, and print its result as JSON; what writes is in the audit table."""
    try:
        if not isinstance(json.loads(args), dict):
            raise ValueError("it is no object")
    except ValueError as error:
        raise typer.BadParameter(f"ARGS is one JSON object, as '{{\"limit\": 20}}': {error}") from None
    given = {"path": function, "jsonText": args, "caller": _caller(caller, role or [])}
    answer = run_to_end(_call(address_of(url), given))
    if as_json:
        _print_json({**answer, "result": json.loads(answer.get("result") or "null")})
    if (code := answer.get("code")) is not None:
        if as_json:
            raise typer.Exit(FAILED)
        fail(f"{code}: {answer.get('message')}", FAILED)
    if not as_json:
        out.print_json(answer.get("result") or "null", indent=2)


async def _call(address: HubAddress, given: dict[str, Any]) -> Any:
    async with connected(address) as hub:
        return await hub.action("_system/functions:run", given)


def _caller(text: str | None, roles: list[str]) -> dict[str, Any]:
    if text is None or text == "nobody":
        if roles:
            raise typer.BadParameter("--role is of somebody: say --as ISSUER|SUBJECT")
        return {"who": text or "application"}
    issuer, bar, subject = text.partition("|")
    if not bar or not issuer or not subject:
        raise typer.BadParameter("--as is ISSUER|SUBJECT, or nobody")
    return {"who": "user", "issuer": issuer, "subject": subject, "roles": roles}
