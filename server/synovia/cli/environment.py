"""``synovia env``: the settings that an application declares, where each comes from, and what is wrong with them."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from synovia.cli.application import development_file, load
from synovia.cli.operations import ask_hub
from synovia.cli.options import JsonOption, PathArgument, StoreOption, store_of, without_secret
from synovia.cli.reporting import FAILED, out, run_to_end, say, settings_of
from synovia.cli.sweeping import check_there
from synovia.config import Settings
from synovia.functions.env import Env, EnvReading, EnvSetting, EnvValue, read_env
from synovia.functions.stored_env import keep_value, stored_values
from synovia.store import open_store


def environment_of(
    path: PathArgument,
    store: StoreOption = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="Keep one in the database; again for more.")
    ] = None,
    unset: Annotated[
        list[str] | None, typer.Option("--unset", metavar="NAME", help="Take one out of it; again for more.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """List the settings that an application declares (Env), and where each comes from; secret ones are not shown.

    Variables are those of this shell. Exits with 1 if one is missing or does not parse.
    """
    settings = settings_of()
    declared = load(path).env or Env
    where = _store_of(store, settings, path)
    changes = _changes(declared, set_ or [], unset or [])
    if changes:
        where = store_of(store, settings, path)
        _check_kept(unset or [], declared, where, settings)
        run_to_end(_keep(where, settings, changes))
    stored = {} if where is None else run_to_end(stored_env(where, settings))
    reading = read_env(declared, os.environ, stored)
    _tell(reading, as_json=as_json, changed=bool(changes))
    if reading.env is None:
        raise typer.Exit(FAILED)


def _store_of(flag: str | None, settings: Settings, path: Path) -> str | None:
    """Say which database is meant, if there is one: that of development need not have been made."""
    named = without_secret(flag) or settings.store
    file = development_file(path)
    return named or (f"sqlite:///{file}" if file.exists() else None)


def _changes(declared: type[Env], set_: Sequence[str], unset: Sequence[str]) -> dict[str, str | None]:
    """Read what is to be kept, and refuse what would not do.

    Raises:
        BadParameter: It is no setting, a secret, or does not parse.
    """
    changes: dict[str, str | None] = dict.fromkeys(unset)
    for each in set_:
        name, equals, value = each.partition("=")
        if not equals:
            raise typer.BadParameter(f"--set takes NAME=VALUE, not {each!r}")
        changes[name] = value
    found = {each.variable: each for each in read_env(declared, {}, _given(changes)).settings.values()}
    for name in _given(changes):
        if name not in found:
            raise typer.BadParameter(
                f"{name} is no setting of this application; it declares {', '.join(found) or 'none'}"
            )
        if found[name].fault is not None:
            raise typer.BadParameter(f"{name}: {found[name].fault}")
    return changes


def _check_kept(unset: Sequence[str], declared: type[Env], where: str, settings: Settings) -> None:
    """Refuse to take out what is neither declared nor kept: a name that is misspelt.

    Raises:
        BadParameter: There is nothing of that name.
    """
    known = {each.variable for each in read_env(declared, {}, {}).settings.values()}
    if set(unset) <= known:
        return
    kept = run_to_end(stored_env(where, settings))
    for name in unset:
        if name not in known and name not in kept:
            raise typer.BadParameter(
                f"{name} is no setting of this application, and the database keeps none of that name"
            )


def _given(changes: Mapping[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in changes.items() if value is not None}


async def stored_env(where: str, settings: Settings) -> dict[str, str]:
    """Read the settings that a database keeps, or let the hub do it that has the file.

    Raises:
        StoreError: It is not there, or cannot be reached.
    """
    answered, found = await ask_hub(where, "env", {})
    if answered:
        return dict(found)
    check_there(where)
    store = open_store(where, request_ttl=settings.request_ttl)
    await store.open([])
    try:
        return await stored_values(store)
    finally:
        await store.close()


async def _keep(where: str, settings: Settings, changes: Mapping[str, str | None]) -> None:
    if (await ask_hub(where, "env keep", changes))[0]:
        return
    store = open_store(where, request_ttl=settings.request_ttl)
    await store.open([EnvValue.spec])
    try:
        for name, value in changes.items():
            await keep_value(store, name, value)
    finally:
        await store.close()


def _tell(reading: EnvReading, *, as_json: bool, changed: bool) -> None:
    if as_json:
        found: dict[str, Any] = {
            "settings": [asdict(each) for each in reading.settings.values()],
            "faults": reading.faults,
            "unused": reading.unused,
        }
        out.print_json(json.dumps(found, ensure_ascii=False))
        return
    for each in reading.settings.values():
        say(_line_of(each))
    for fault in reading.faults:
        say(f"wrong: {fault}")
    for name in reading.unused:
        say(f"note: the database keeps {name}, which the application does not declare")
    if not reading.settings:
        say("the application declares no settings (Env)")
    if changed:
        say("hubs read settings when they start")


def _line_of(setting: EnvSetting) -> str:
    if setting.fault is not None:
        return f"{setting.variable}  {setting.fault}"
    shown = "" if setting.value is None else f"  {setting.value}"
    return f"{setting.variable}  {setting.type}  {setting.source}{shown}"
