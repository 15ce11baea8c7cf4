"""What does not fit a model, as whoever gave it is told: in words, and each fault with its place."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import BaseModel, ValidationError

from synovia.errors import InvalidArguments
from synovia_protocol.spelling import letters, nearest

_LONGEST_NAME = 200


def refusal(subject: str, error: ValidationError, model: type[BaseModel] | None = None) -> InvalidArguments:
    """Make the error for the caller: its message begins with ``subject``, its data lists each fault with its place.

    Args:
        model: Whose fields were given by their Python names; places are told by those on the wire.
    """
    faults = faults_of(error)
    fields = model.model_fields if model is not None else {}
    for fault in faults:
        name, dot, inside = fault["at"].partition(".")
        fault["at"] = f"{(name in fields and fields[name].alias) or name}{dot}{inside}"
    return InvalidArguments(f"{subject}: {'; '.join(map(_words, faults))}", faults)


def refused_arguments(path: str, error: ValidationError, arguments: type[BaseModel]) -> InvalidArguments:
    """Make the error for who calls a function, with the names that are meant where others are only spelled otherwise."""
    faults = faults_of(error)
    known = {letters(str(info.alias)): info.alias for info in arguments.model_fields.values()}
    for each, fault in zip(error.errors(include_url=False), faults, strict=True):
        if each["type"] == "extra_forbidden" and len(each["loc"]) > 1:
            fault["message"] = "there is no such field"
        elif each["type"] == "extra_forbidden":
            name = known.get(letters(fault["at"])) if len(fault["at"]) < _LONGEST_NAME else None
            fault["message"] = "there is no such argument" + (f": is {name} meant?" if name else "")
    return InvalidArguments(f"{path}: {'; '.join(map(_words, faults))}", faults)


Unknown = tuple[tuple[str | int, ...], Iterable[str]]
"""The path of what is no field, and the names of those that there are."""


def no_such_fields(subject: str, unknown: Iterable[Unknown]) -> InvalidArguments:
    """Make the error for who gives a row what is none of its fields, with those that are meant."""
    faults = [{"at": ".".join(map(str, path)), "message": no_such_field(path, known)} for path, known in unknown]
    faults.sort(key=lambda fault: fault["at"])
    return InvalidArguments(f"{subject}: {'; '.join(map(_words, faults))}", faults)


def no_such_field(path: tuple[str | int, ...], known: Iterable[str]) -> str:
    """Say that the last name of a path is none of the fields that there are."""
    return f"there is no such field{meant(str(path[-1]), known)}"


def meant(name: str, names: Iterable[str]) -> str:
    """Ask whether the name is meant that is spelled nearly like this one; empty if there is none."""
    near = nearest(name, names)
    return "" if near is None else f": is {near} meant?"


def faults_of(error: ValidationError) -> list[dict[str, str]]:
    """List what is wrong: ``at`` is its place (names and positions with dots between them), ``message`` says it."""
    return [
        {"at": ".".join(map(str, each["loc"])), "message": plain(each["msg"])}
        for each in error.errors(include_url=False)
    ]


def plain(message: str) -> str:
    """Give a message of pydantic's without what it puts before the words of a validator."""
    return message.removeprefix("Value error, ")


def message_of(error: ValidationError) -> str:
    """Say in words the first thing that is wrong, and where if it is inside."""
    return _words(faults_of(error)[0])


def _words(fault: dict[str, str]) -> str:
    return f"{fault['at']}: {fault['message']}" if fault["at"] else fault["message"]
