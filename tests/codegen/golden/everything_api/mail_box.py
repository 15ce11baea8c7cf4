# Written by `synovia codegen`, which overwrites it: change the application instead.
# ruff: noqa
# fmt: off
"""Calls of the functions in mail_box."""

from __future__ import annotations

from synovia_client import ActionCall, UNSET, Unset


def delete() -> ActionCall[dict[str, int]]:
    return ActionCall("mail_box:delete", {})


def send(*, to: str, text: str | Unset = UNSET) -> ActionCall[bool]:
    """Send a mail. It says: "\\d", and ends with a "quote" """
    return ActionCall("mail_box:send", {"to": to, "text": text})
