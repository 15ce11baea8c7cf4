"""What is on the wire stays as it is until the version is raised."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from typing import Any

from synovia_protocol import arrays, codec, errors, values
from synovia_protocol.messages import PROTOCOL_VERSION, SUBPROTOCOL

PINNED = {1: "c148ae71c74222b477eb0e8f93f59ba3eb723018cd0f840034c12b4648bc341d"}


def default_of(field: dataclasses.Field[Any]) -> str:
    """Write down a field's default."""
    return "required" if field.default is dataclasses.MISSING else repr(field.default)


def describe(layout: codec.Layout) -> dict[str, Any]:
    """Say everything that another implementation has to agree with."""
    fields = {field.name: field for field in dataclasses.fields(layout.kind)}
    return {
        "name": layout.kind.__name__,
        "tag": layout.tag,
        "required": layout.required,
        "fields": [(name, fields[name].type, default_of(fields[name])) for name in layout.rules],
        "all": sorted(fields),
    }


def definition() -> str:
    """Write down the whole protocol."""
    layouts = (*codec.CLIENT_LAYOUTS, *codec.SERVER_LAYOUTS, *codec.UPDATE_LAYOUTS, *codec.PART_LAYOUTS)
    parts = {
        "version": PROTOCOL_VERSION,
        "subprotocol": SUBPROTOCOL,
        "layouts": [describe(layout) for layout in layouts],
        "ext": [values.EXT_ARRAY_REF, values.EXT_PATCH, values.EXT_TIMESTAMP],
        "errors": sorted((code.value, errors.close_code_of(code).value) for code in errors.ErrorCode),
        "close": sorted((code.name, code.value) for code in errors.CloseCode),
        "dtypes": arrays.DTYPES,
        "arrays": [arrays.CHUNK_BYTES, arrays.HEADER_BYTES, arrays.MARK, arrays.FRAME_VERSION],
        "depth": values.MAX_DEPTH,
    }
    return json.dumps(parts, sort_keys=True)


def test_the_definition_is_pinned_to_the_version() -> None:
    found = hashlib.sha256(definition().encode()).hexdigest()
    assert found == PINNED.get(PROTOCOL_VERSION), (
        f"what travels has changed (now {found}): raise PROTOCOL_VERSION and pin the new definition, "
        "unless receivers of this version understand it (a new optional field, a new error code)"
    )


def test_every_field_of_every_message_travels() -> None:
    for layout in (*codec.CLIENT_LAYOUTS, *codec.SERVER_LAYOUTS, *codec.UPDATE_LAYOUTS, *codec.PART_LAYOUTS):
        described = describe(layout)
        assert sorted(layout.rules) == described["all"], layout.kind
        tag = getattr(layout.kind, "TYPE", getattr(layout.kind, "KIND", None))
        assert layout.tag == tag, layout.kind
