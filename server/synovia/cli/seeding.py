"""``synovia seed``: what an application's database begins with, each seed once."""

from __future__ import annotations

import json
import sys
from typing import Annotated, Any

import typer

from synovia.cli.application import check_path, load, server_of, without_password
from synovia.cli.operations import operate
from synovia.cli.options import JsonOption, PathArgument, StoreOption, YesOption, store_of
from synovia.cli.reporting import out, run_to_end, say, settings_of
from synovia.seeding import SeedingState


def seed(
    path: PathArgument,
    store: StoreOption = None,
    only: Annotated[
        list[str] | None, typer.Option("--only", metavar="MODULE:FUNCTION", help="One seed; again for more.")
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="Also those that have run.")] = False,
    status: Annotated[bool, typer.Option("--status", help="Change nothing; tell which have run.")] = False,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Run the seeds of an application (@seed) that have not run, each in one transaction.

    It asks first where the database holds documents and no seed has run, and before --again. On an embedded store that a
    server has, that server does it, with the application that it runs.
    """
    settings = settings_of(debug=True, scheduler={"enabled": False})
    check_path(path)
    where = store_of(store, settings, path)

    def ask(operation: str, given: dict[str, Any]) -> Any:
        return run_to_end(operate(lambda: server_of(load(path), where, settings), where, operation, given))

    state = SeedingState(**ask("seed status", {}))
    if status:
        _tell_state(state, as_json=as_json)
        return
    if state.holds is not None and (again or state.strange) and not yes:
        _confirm(f"{without_password(where)} holds documents already (of {state.holds}). Seed it?")
    done: dict[str, bool] = ask("seed", {"only": only or [], "again": again})
    if as_json:
        out.print_json(json.dumps({"ran": done}))
        return
    for each, ran in done.items():
        say(f"{each}: {'done' if ran else 'had run already'}")
    if not done:
        say("the application declares no seed (@seed)")


def _confirm(question: str) -> None:
    if not sys.stdin.isatty():
        raise typer.BadParameter(f"{question} Nobody is there to be asked: say --yes")
    typer.confirm(question, abort=True)


def _tell_state(state: SeedingState, *, as_json: bool) -> None:
    if as_json:
        out.print_json(json.dumps({"seeds": state.seeds}))
        return
    for path, at in state.seeds.items():
        say(f"{path}: {'has not run' if at is None else 'has run'}")
