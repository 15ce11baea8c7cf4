"""Wire values and their bytes: msgpack at C speed, and what it does not check by itself.

A wire value is None, a bool, an int of 64 bits with sign, a float, a str, bytes, a list, a map with string keys, an
aware datetime or an ``ArrayRef``. ``pack`` and ``unpack`` refuse everything else, so that whatever one end sends the
other reads.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import msgpack
import numpy as np

from synovia_protocol.edits import ListEdit, MapEdit, Patch, is_patch, list_edit, map_edit
from synovia_protocol.errors import BadFrame, ErrorCode, IntegerTooLarge, ProtocolError, WireValueError
from synovia_protocol.messages import ArrayRef

EXT_ARRAY_REF = 1
EXT_PATCH = 2
EXT_TIMESTAMP = -1
MAX_DEPTH = 64
MAX_REF_BYTES = 1024  # a digest, a dtype and the lengths of a hundred axes
"""How many lists and maps a value may nest, the outermost included."""

_INT64_MAX = 2**63 - 1
_TOO_LONG = "an integer beyond 64 bits with sign"
_PLAIN = frozenset({type(None), bool, int, float, str, bytes})
_WITHOUT_INTEGERS = _PLAIN - {int}
_HUGE = re.compile(rb"\xcf[\x80-\xff]")  # a uint64 beyond int64, or any bytes that look like one
_MANY = 256
_SMALL = 512  # below this, what a frame can make msgpack allocate ahead is too little to matter
_KEEP_PACKER = 1 << 22  # a packer keeps the largest buffer it ever needed, so those of giant messages are let go


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one frame may hold; the defaults are what a server accepts from a client.

    Attributes:
        max_message_bytes: The length of a message frame.
        max_depth: Lists and maps inside each other, in one value.
        max_elements: The items of all lists and maps in a frame, and these lists and maps once more.
        max_array_bytes: The samples of one array.
        max_uploads: Arrays that one connection uploads at the same time.
    """

    max_message_bytes: int = 1 << 20
    max_depth: int = MAX_DEPTH
    max_elements: int = 100_000
    max_array_bytes: int = 1 << 32
    max_uploads: int = 64


FROM_CLIENT = Limits()
FROM_SERVER = Limits(max_message_bytes=64 << 20, max_elements=16_000_000)


# --- packing ----------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=8192)
def _ref_ext(digest: bytes, dtype: str, shape: tuple[int, ...]) -> msgpack.ExtType:
    return msgpack.ExtType(EXT_ARRAY_REF, msgpack.packb((digest, dtype, shape)))


def _timestamp(moment: dt.datetime) -> msgpack.Timestamp:
    if moment.tzinfo is None:
        raise TypeError("a datetime on the wire needs a time zone")
    milliseconds = (moment - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) // dt.timedelta(milliseconds=1)
    return msgpack.Timestamp(milliseconds // 1000, milliseconds % 1000 * 1_000_000)


def _extend(value: object) -> Any:
    """Give msgpack something it knows for a value that it does not."""
    if isinstance(value, ArrayRef):
        return _ref_ext(value.digest, value.dtype, value.shape)
    if is_patch(value):
        return msgpack.ExtType(EXT_PATCH, patch_payload(value))
    if isinstance(value, dt.datetime):
        return _timestamp(value)
    if isinstance(value, (np.bool_, np.integer, np.floating)):
        return value.item()
    if isinstance(value, Mapping):  # that is no dict
        return dict(value)
    raise TypeError(_TOO_LONG if isinstance(value, int) else f"{type(value).__name__} is not a wire value")


_packers: list[msgpack.Packer] = []  # a packer allocates 256 KiB when made, and is not reentrant


def _told(error: Exception) -> WireValueError:
    if isinstance(error, UnicodeEncodeError):
        return WireValueError("a text holds half a surrogate pair")
    kind = IntegerTooLarge if str(error) == _TOO_LONG else WireValueError
    return kind(str(error) or "not a wire value")


def pack_raw(value: Any) -> bytes:
    """Pack without looking for what only the other end would refuse (keys, depth, integers beyond int64)."""
    packer = _packers.pop() if _packers else msgpack.Packer(default=_extend)
    try:
        packed: bytes = packer.pack(value)
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise _told(error) from error
    if len(packed) < _KEEP_PACKER:
        _packers.append(packer)
    return packed


def pack_each(values: Iterable[Any]) -> list[bytes]:
    """Pack many values apart from each other, as ``pack_raw`` does."""
    packer = _packers.pop() if _packers else msgpack.Packer(default=_extend)
    try:
        packed = list(map(packer.pack, values))
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise _told(error) from error
    _packers.append(packer)
    return packed


def pack(value: Any) -> bytes:
    """Pack a wire value, or a patch.

    Raises:
        WireValueError: It holds something that is not a wire value, or nests deeper than ``MAX_DEPTH``.
    """
    return pack_checked(value, MAX_DEPTH)


def pack_checked(value: Any, depth: int) -> bytes:
    """Pack a value that may nest ``depth`` lists and maps; tuples are lists."""
    try:
        packed = pack_raw(value)
    except WireValueError as error:
        found = isinstance(error.__cause__, TypeError | OverflowError | UnicodeEncodeError)
        place = _place_of_fault(value, depth) if found else None
        if not place:
            raise
        raise type(error)(f"{place}: {error}") from error.__cause__
    if not _PLAIN.issuperset((type(value),)):
        fault = find_fault(value, depth, patches=True)
        if fault is not None:
            raise WireValueError(fault)
    if _HUGE.search(packed) is not None and _has_huge(value):
        place = _place_of_huge(value)
        raise IntegerTooLarge(f"{place}: {_TOO_LONG}" if place else _TOO_LONG)
    return packed


def patch_payload(patch: Patch) -> bytes:
    """Pack what stands inside ext type 2; kept with the patch, since every level above needs it again."""
    if patch.payload is None:
        patch.payload = pack_raw(patch.parts())
    return patch.payload


# --- checking ---------------------------------------------------------------------------------------------------------


def _place_of_fault(value: Any, depth: int) -> str | None:
    """Tell where in a value the first thing is that cannot be packed, as ``.rows[3].size``; None: it is not found."""
    if isinstance(value, Mapping):
        parts: Iterable[tuple[Any, Any]] = value.items()
    elif isinstance(value, list) or type(value) is tuple:
        parts = enumerate(value)
    else:
        return None if _can_be_packed(value) else ""
    if depth <= 0:
        return ""  # going on beside this could go on without end, in a list that holds itself
    for key, child in parts:
        inside = _place_of_fault(child, depth - 1) if _can_be_packed(key) else ""
        if inside is not None:
            return _step(key) + inside
    return None


def _place_of_huge(value: Any) -> str | None:
    """Tell where an integer is that only the other end would refuse; what has been packed does not nest without end."""
    if not isinstance(value, dict | list | tuple):
        return "" if isinstance(value, int | np.integer) and value > _INT64_MAX else None
    for key, child in value.items() if isinstance(value, dict) else enumerate(value):
        if (inside := _place_of_huge(child)) is not None:
            return _step(key) + inside
    return None


def _step(key: Any) -> str:
    return f".{key}" if isinstance(key, str) and key.isidentifier() else f"[{key!r:.40}]"


def _can_be_packed(value: Any) -> bool:
    try:
        msgpack.packb(value, default=_extend)
    except (ValueError, TypeError, OverflowError, RecursionError):
        return False
    return True


def find_fault(value: Any, depth: int, *, patches: bool = False) -> str | None:
    """Say what keeps a value off the wire: a key that is no string, too deep, or a patch where none may be."""
    if isinstance(value, dict):
        try:
            "".join(value)  # the fastest look at all keys
        except TypeError:
            return "a map key is not a string"
        children: Any = value.values()
    elif isinstance(value, (list, tuple)):
        children = value
    else:
        return "a patch outside a transition" if not patches and is_patch(value) else None
    if depth <= 0:
        return "nested too deeply"
    if (len(children) >= _MANY and _are_numbers(children)) or _PLAIN.issuperset(map(type, children)):
        return None
    for child in children:
        if type(child) not in _PLAIN and (fault := find_fault(child, depth - 1, patches=patches)) is not None:
            return fault
    return None


def _are_numbers(children: Any) -> bool:
    """Tell of many values whether all are numbers: to add them up takes a fifth of what it takes to look at each type."""
    if not isinstance(children, (list, tuple)) or type(children[0]) not in (float, int):
        return False
    try:
        sum(children)
    except (TypeError, OverflowError):
        return False
    return True


def _has_huge(value: Any) -> bool:
    """Look for an integer beyond int64; a loop, because nothing may have limited the depth yet."""
    todo: list[Any] = [(value,)]
    while todo:
        container = todo.pop()
        children = container.values() if isinstance(container, dict) else container
        kinds = set(map(type, children)) - _WITHOUT_INTEGERS
        if int in kinds and any(child > _INT64_MAX for child in children if type(child) is int):
            return True
        if kinds - {int}:
            todo += [child for child in children if isinstance(child, (dict, list, tuple))]
            if any(isinstance(child, np.integer) and child > _INT64_MAX for child in children):
                return True
    return False


# --- unpacking --------------------------------------------------------------------------------------------------------


class _Reader:
    """Unpacks one frame: counts what it builds and turns extension types into objects."""

    __slots__ = ("counting", "left", "level", "limits", "patches")

    def __init__(self, limits: Limits, *, patches: bool) -> None:
        self.limits = limits
        self.left = limits.max_elements
        self.level = 0
        self.patches = patches
        self.counting = False

    def read(self, data: bytes | memoryview) -> Any:
        counted: dict[str, Any] = {}
        if self.counting or len(data) > self.limits.max_elements:  # otherwise it cannot hold that many
            self.counting = True
            most = self.limits.max_elements
            counted = {"list_hook": self._count, "object_hook": self._count, "max_array_len": most, "max_map_len": most}
        if len(data) > _SMALL:
            _skim(data)
        value = _unpack(data, ext_hook=self._ext, **counted)
        if _HUGE.search(data) is not None and _has_huge(value):
            raise BadFrame("an integer beyond 64 bits with sign")
        return value

    def _count(self, items: Any) -> Any:
        self.left -= len(items) + 1
        if self.left < 0:
            raise _too_many()
        return items

    def _ext(self, code: int, data: bytes) -> Any:
        if code == EXT_ARRAY_REF:
            if len(data) > MAX_REF_BYTES:  # what is read is remembered for long, so it has to be small
                raise BadFrame(f"an array reference of {len(data)} bytes")
            return _array_ref(data)
        if code == EXT_PATCH and self.patches:
            return self._patch(data)
        raise BadFrame("a patch outside a transition" if code == EXT_PATCH else f"unknown extension type {code}")

    def _patch(self, data: bytes) -> Patch:
        self.level += 1
        if self.level > self.limits.max_depth:
            raise _too_deep()
        parts = self.read(data)
        self.level -= 1
        depth = self.limits.max_depth - self.level
        if isinstance(parts, list) and parts and isinstance(parts[0], dict):
            return self._map_edit(parts, depth)
        if isinstance(parts, list) and parts and isinstance(parts[0], list):
            return self._list_edit(parts, depth)
        raise BadFrame("a patch is neither a map edit nor a list edit")

    def _map_edit(self, parts: list[Any], depth: int) -> MapEdit:
        _check_keys(parts[0])
        check_values(parts[0].values(), depth)
        return map_edit(parts)

    def _list_edit(self, parts: list[Any], depth: int) -> ListEdit:
        edit = list_edit(parts)
        for run in edit.runs:
            if type(run) is list:
                check_values(run, depth, patches=False)
        check_values(edit.edits[1::2], depth)
        return edit


_OWN = _Reader(FROM_SERVER, patches=False)._ext


def _check_keys(edits: dict[Any, Any]) -> None:
    if not all(type(key) is str for key in edits):
        raise BadFrame("a map key is not a string")


def check_values(values: Any, depth: int, *, patches: bool = True) -> None:
    """Refuse what no value may hold. A patch may stand among ``values`` (checked when read), but not inside one."""
    for value in values:
        if type(value) not in _PLAIN and not (patches and is_patch(value)):
            check_value(value, depth)


def check_value(value: Any, depth: int) -> None:
    """Refuse what no value may hold, a patch among that."""
    fault = find_fault(value, depth)
    if fault is not None:
        raise _too_deep() if fault == "nested too deeply" else BadFrame(fault)


def _too_many() -> ProtocolError:
    return ProtocolError(ErrorCode.TOO_LARGE, "too many elements in one frame")


def _too_deep() -> ProtocolError:
    return ProtocolError(ErrorCode.TOO_LARGE, "nested too deeply")


def _skim(data: bytes | memoryview) -> None:
    """Walk over the frame without building anything: headers that promise more than there is cost no memory."""
    unpacker = msgpack.Unpacker(None, max_buffer_size=len(data))
    unpacker.feed(data)
    try:
        unpacker.skip()
    except Exception as error:
        raise _malformed(error, counted=False) from error


def _unpack(data: bytes | memoryview, **options: Any) -> Any:
    try:
        return msgpack.unpackb(data, timestamp=3, strict_map_key=True, **options)
    except ProtocolError:
        raise
    except Exception as error:  # the C code raises half a dozen unrelated types; every one of them means bad bytes
        raise _malformed(error, counted="max_array_len" in options) from error


def _malformed(error: Exception, *, counted: bool) -> ProtocolError:
    if isinstance(error, msgpack.exceptions.StackError):
        return _too_deep()
    if counted and ("exceeds max_array_len" in str(error) or "exceeds max_map_len" in str(error)):
        return _too_many()  # where nothing is counted, it means that the frame is shorter than its headers say
    return BadFrame(f"not msgpack: {error or type(error).__name__}")


@lru_cache(maxsize=8192)
def _array_ref(data: bytes) -> ArrayRef:
    match _unpack(data):
        case [bytes(digest), str(dtype), [*shape]] if len(digest) == 32 and all(_is_length(n) for n in shape):
            return ArrayRef(digest, dtype, tuple(shape))
    raise BadFrame("an array reference is [digest of 32 bytes, dtype, shape]")


def _is_length(value: Any) -> bool:
    return type(value) is int and 0 <= value <= _INT64_MAX


def read_frame(data: bytes | memoryview, limits: Limits, *, patches: bool) -> Any:
    """Unpack a frame. The values in it are still to be checked for keys and depth, with ``check_values``."""
    if len(data) > limits.max_message_bytes:
        raise ProtocolError(ErrorCode.TOO_LARGE, f"a message of {len(data)} bytes; {limits.max_message_bytes} may be")
    return _Reader(limits, patches=patches).read(data)


def unpack(data: bytes | memoryview, limits: Limits = FROM_SERVER) -> Any:
    """Unpack one wire value.

    Raises:
        ProtocolError: It is malformed (``bad_frame``) or more than ``limits`` allow (``too_large``).
    """
    value = read_frame(data, limits, patches=False)
    check_values((value,), limits.max_depth)
    return value


def unpack_own(data: bytes | memoryview) -> Any:
    """Unpack a value that this process has packed itself: nothing is checked again, which takes most of ``unpack``."""
    return _unpack(data, ext_hook=_OWN)


def unpack_patch(data: bytes | memoryview, limits: Limits = FROM_SERVER) -> Any:
    """Unpack a patch, or the value that stands for one."""
    value = read_frame(data, limits, patches=True)
    check_values((value,), limits.max_depth)
    return value
