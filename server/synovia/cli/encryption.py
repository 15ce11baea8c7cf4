"""``synovia encryption``: the keys of encrypted fields, and what each of them has sealed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from synovia.cli.application import check_path, development_store, load, server_of
from synovia.cli.operations import operate
from synovia.cli.options import JsonOption, PathArgument, StoreOption, without_secret
from synovia.cli.reporting import FAILED, counted, err, out, reporting, run_to_end, say, settings_of
from synovia.migrations.rotation import IN_THE_CLEAR
from synovia.sealing.keyring import BadKeys, new_entry, read_keys

encryption = typer.Typer(help="The keys of encrypted fields.", no_args_is_help=True)


@encryption.command("new")
@reporting
def new_key(
    id_: Annotated[str, typer.Argument(metavar="ID", help="As 2027; the key of searchable fields is `search`.")],
    as_json: JsonOption = False,
) -> None:
    """Make a key, and print it as SYNOVIA_ENCRYPTION_KEYS has it. It is kept nowhere: whoever loses it loses the values."""
    entry = new_entry(id_)
    try:
        if id_ != "search":
            read_keys(entry)
    except BadKeys as error:
        raise typer.BadParameter(str(error)) from None
    if as_json:
        out.print_json(json.dumps({"id": id_, "entry": entry}))
    else:
        out.print(entry, soft_wrap=True, highlight=False, markup=False)


@encryption.command("keys")
@reporting
def list_keys(path: PathArgument, store: StoreOption = None, as_json: JsonOption = False) -> None:
    """Tell how many values each key has sealed, and how many do not open; every document is read.

    Ends with 1 if a value does not open. On an embedded store that a server has, that server does it, with its keys.
    """
    _tell(_done("encryption keys", path, store), as_json=as_json)


@encryption.command("rotate")
@reporting
def rotate(path: PathArgument, store: StoreOption = None, as_json: JsonOption = False) -> None:
    """Seal by the newest key, the first one, whatever an older one has sealed; hubs may run meanwhile.

    Hubs do this by themselves when they start with a new first key; once more is for what a hub with older keys has
    written meanwhile. It can be broken off, and goes on where it was.
    """
    _tell(_done("encryption rotate", path, store), as_json=as_json)


def _done(operation: str, path: Path, store: str | None) -> Any:
    settings = settings_of(debug=True, scheduler={"enabled": False})
    check_path(path)
    where = without_secret(store) or settings.store or development_store(path)
    return run_to_end(operate(lambda: server_of(load(path), where, settings), where, operation, {}))


def _tell(found: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        out.print_json(json.dumps(found))
    elif not found["keys"]:
        say("there are no keys")
    else:
        search = "; equal values are found by the key search" if found["search"] else ""
        say(f"keys: {', '.join(found['keys'])}; {found['keys'][0]} seals{search}")
        for each in found["fields"]:
            say(f"{each['table']}.{each['field']}: {_counts(each['keys'], found['keys']) or 'nothing is stored'}")
    lost = [each for each in found["fields"] if each["unopened"] or each["keys"].keys() - set(found["keys"])]
    for each in lost if not as_json else ():
        err.print(f"{each['table']}.{each['field']}: does not open in {', '.join(each['examples'])}", highlight=False)
    if lost:
        raise typer.Exit(FAILED)


def _counts(keys: Mapping[str, int], known: list[str]) -> str:
    def told(id_: str) -> str:
        if id_ == IN_THE_CLEAR:
            return "stored in the clear"
        return f"by {id_}" if id_ in known else f"by {id_}, which is not among the keys"

    return "; ".join(f"{counted(number, 'value')} {told(id_)}" for id_, number in sorted(keys.items()))
