"""``synovia key``: the keys by which services call functions."""

from __future__ import annotations

import datetime as dt
import json
from typing import Annotated, Any

import typer

from synovia.cli.application import server_of
from synovia.cli.operations import operate
from synovia.cli.options import JsonOption, StoreOption, without_secret
from synovia.cli.reporting import FAILED, err, fail, out, reporting, run_to_end, settings_of
from synovia.functions.registry import Registry

keys = typer.Typer(help="The keys by which services call functions.", no_args_is_help=True)
RoleOption = Annotated[list[str], typer.Option("--role", help="A role of the application's table; again for more.")]


def _operate_on_keys(store: str | None, operation: str, given: dict[str, Any]) -> Any:
    settings = settings_of(debug=True)
    where = without_secret(store) or settings.store
    if where is None:
        raise typer.BadParameter("say which database: --store or SYNOVIA_STORE")
    nothing = Registry("keys", {}, ())
    return run_to_end(operate(lambda: server_of(nothing, where, settings), where, operation, given))


@keys.command("create")
@reporting
def create_key(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The service, as billing.")],
    role: RoleOption,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a key, and print it: it is not shown again. Whoever has it calls as service|NAME with these roles."""
    made = _operate_on_keys(store, "key create", {"name": name, "roles": role})
    if as_json:
        out.print_json(json.dumps(made))
        return
    err.print(f"the key {made['id']} of {name}, with {', '.join(made['roles'])}; keep it, it is not shown again:")
    out.print(made["token"], soft_wrap=True, highlight=False)


@keys.command("list")
@reporting
def list_keys(store: StoreOption = None, as_json: JsonOption = False) -> None:
    """List the keys; their secrets are not kept."""
    found = _operate_on_keys(store, "key list", {})
    if as_json:
        out.print_json(json.dumps(found))
        return
    for each in found:
        made = dt.datetime.fromtimestamp(each["createdAt"] / 1000, dt.UTC)
        state = "good" if each["revokedAt"] is None else "revoked"
        line = f"{each['id']}  {each['name']}  {', '.join(each['roles'])}  {made:%Y-%m-%d %H:%M}  {state}"
        out.print(line, soft_wrap=True, highlight=False)


@keys.command("revoke")
@reporting
def revoke_key(
    id_: Annotated[str, typer.Argument(metavar="ID", help="As `key list` shows it.")],
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """End a key: its next call is refused, and open connections become anonymous within seconds."""
    revoked = bool(_operate_on_keys(store, "key revoke", {"id": id_}))
    if as_json:
        out.print_json(json.dumps({"revoked": revoked}))
    if not revoked:
        fail(f"there is no key {id_} that is good", FAILED)
