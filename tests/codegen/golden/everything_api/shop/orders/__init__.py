# Written by `synovia codegen`, which overwrites it: change the application instead.
# ruff: noqa
# fmt: off
"""Calls of the functions in shop/orders."""

from __future__ import annotations

from . import new as new
