"""How commands speak: what they print, how errors are told (one line and an exit code, no traceback), and their settings."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, NoReturn, ParamSpec, TypeVar

import typer
import uvloop
from pydantic import ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import SettingsError
from rich.console import Console
from rich.markup import escape
from typer.core import TyperGroup

from synovia.cli.application import ApplicationError
from synovia.cli.hub import HubUnreachable
from synovia.cli.server import AddressError
from synovia.cli.visible import visible
from synovia.codegen import CodegenError
from synovia.config import Settings
from synovia.errors import FunctionError
from synovia.export.errors import ExportError
from synovia.functions.env import EnvError
from synovia.identity import InvalidToken
from synovia.schema.faults import plain
from synovia.store.base import StoreError

P = ParamSpec("P")
T = TypeVar("T")

FAILED, BAD_APPLICATION, BAD_ADDRESS, BAD_STORE, NO_HUB = 1, 2, 3, 4, 5
"""Exit codes; see docs/operations.md."""

out = Console(emoji=False)  # or what stands between colons in a text would become one
err = Console(stderr=True, emoji=False)


def say(text: str) -> None:
    """Print a line as it is, but for what a terminal would obey."""
    out.print(visible(text), highlight=False, markup=False, soft_wrap=True)


def counted(number: int, noun: str = "document") -> str:
    """Say how many there are of something."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def reporting(command: Callable[P, None]) -> Callable[P, None]:
    """Turn errors whose cause lies outside into one line and an exit code."""

    @wraps(command)
    def reporting(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except ApplicationError as error:
            fail(str(error), BAD_APPLICATION)
        except AddressError as error:
            fail(str(error), BAD_ADDRESS)
        except HubUnreachable as error:
            fail(str(error), NO_HUB)
        except StoreError as error:
            fail(f"the store: {error}", BAD_STORE)
        except EnvError as error:
            fail(str(error), BAD_APPLICATION)
        except (CodegenError, ExportError) as error:
            fail(str(error), FAILED)
        except FunctionError as error:
            fail(f"{error.code}: {error.message}", FAILED)
        except InvalidToken as error:
            fail(str(error), FAILED)
        except KeyboardInterrupt:
            raise typer.Exit(130) from None

    return reporting


class Commands(TyperGroup):
    """Commands whose arguments are refused in plain words: pydantic, which reads them, begins some with "Value error"."""

    def invoke(self, ctx: Any) -> Any:
        """Run a command.

        Raises:
            BadParameter: It does not take an argument.
        """
        try:
            return super().invoke(ctx)
        except typer.BadParameter as error:
            error.message = plain(error.message)
            raise


def fail(message: str, code: int) -> NoReturn:
    """End with an error."""
    err.print(f"[bold red]error:[/] {escape(visible(message))}", highlight=False, soft_wrap=True)
    raise typer.Exit(code)


def settings_of(**flags: Any) -> Settings:
    """Read the settings, of which flags that were given override variables."""
    try:
        return Settings(**{name: value for name, value in flags.items() if value is not None})
    except SettingsError as error:
        raise typer.BadParameter(f"{error}: no JSON: {error.__cause__}") from None
    except ValidationError as error:
        raise typer.BadParameter("; ".join(map(_fault, error.errors()))) from None


def _fault(fault: ErrorDetails) -> str:
    """Say what is wrong with which variable."""
    variable = "_".join(["SYNOVIA", *map(str, fault["loc"])]).upper()
    text = "there is no such setting" if fault["type"] == "extra_forbidden" else plain(fault["msg"])
    return f"{variable}: {text}" if fault["loc"] else text


def run_to_end(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine in a loop of its own."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)
