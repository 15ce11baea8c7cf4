"""What would be lost, overwritten or never work is refused when an application is loaded, with file and line."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from helpers.written_applications import HEAD, function, refusal_of, write_application
from synovia.cli.application import ApplicationError, load
from synovia.functions.registry import load_application
from synovia.testing import TestApp

FIRST = HEAD.count("\n") + 1
"""The line of a written module on which its own text begins."""


def line_of(text: str, part: str) -> int:
    return FIRST + text[: text.index(part)].count("\n")


# --- names ------------------------------------------------------------------------------------------------------------


def test_two_functions_of_one_path(tmp_path: Path) -> None:
    text = refusal_of(tmp_path, function("one", "public=True, name='same'") + function("same"))
    assert "two functions have the path" in text
    assert (f".py:{FIRST + 1} " in text, text.endswith(f".py:{FIRST + 5}")) == (True, True)
    files = {"a.py": function(), "b/c.py": "__synovia_path__ = 'a'\n" + function()}
    text = refusal_of(tmp_path, files)
    assert "two functions have the path a:f: " in text
    assert "/a.py:4 and " in text
    assert "/b/c.py:5" in text


def test_a_function_that_is_declared_again(tmp_path: Path) -> None:
    for again in (function(), "async def f() -> int:\n    return 1\n", "class f: ...\n"):
        text = refusal_of(tmp_path, function() + again)
        assert f".py:{FIRST + 2}: f is declared again in line " in text


def test_what_is_no_second_declaration(tmp_path: Path) -> None:
    either = "if True:\n    import json\nelse:\n    async def f() -> None: ...\n"
    wrapped = "\ndef same(body: Any) -> Any:\n    return body\n"
    built = "\nclass Base(Model):\n    a: int = 1\nclass T(Table):\n    b: int = 1\n    f: int = 1\nclass T(T): ...\n"
    load_application(write_application(tmp_path, "from typing import Any\n" + either + wrapped + function() + built))


def test_what_a_folder_declares_under_the_name_of_a_module_in_it(tmp_path: Path) -> None:
    for declared in (function("inside"), "\nclass inside(Table):\n    a: int\n"):
        text = refusal_of(tmp_path, {"a/__init__.py": declared, "a/inside.py": function()})
        place = f"a/__init__.py:{line_of(declared, 'inside')}"
        assert f"{place}: inside is also the name of a module in this folder" in text


def test_two_tables_of_one_name(tmp_path: Path) -> None:
    files = {
        "one.py": 'class A(Table, name="things"):\n    a: int\n',
        "two.py": '\nclass B(Table, name="things"):\n    b: int\n',
    }
    text = refusal_of(tmp_path, files)
    assert "two tables are named 'things': " in text
    assert "one.py:3 and " in text
    assert text.endswith("two.py:4")
    again = 'class A(Table, name="as"):\n    a: int\n'
    text = refusal_of(tmp_path, again + again)
    assert f".py:{FIRST}: A is declared again in line {FIRST + 2}, so this one is lost" in text


def test_one_table_seen_from_several_modules_is_one(tmp_path: Path) -> None:
    files = {"one.py": 'class A(Table, name="things"):\n    a: int\n', "two.py": "from .one import A\nB = A\n"}
    load_application(write_application(tmp_path, files))


@pytest.mark.parametrize(
    "declared",
    [
        "class K(Table):\n    knee_1: int\n    knee1: int\n",
        "class K(Model):\n    knee_1: int\n    knee1: int\n",
        "class K(Model):\n    a: int = Field(alias='b')\n    b: int\n",
        "class K(Model):\n    a: int = Field(serialization_alias='b')\n    b: int\n",
        "class J(Model):\n    knee1: int\nclass K(J):\n    knee_1: int\n",
    ],
)
def test_two_fields_that_are_one_on_the_wire(tmp_path: Path, declared: str) -> None:
    text = refusal_of(tmp_path, "from pydantic import Field\n" + declared)
    assert f".py:{line_of(declared, 'class K') + 1}: K: the fields '" in text
    assert "on the wire; rename one of them" in text


def test_fields_that_differ_on_the_wire(tmp_path: Path) -> None:
    text = "class K(Table):\n    knee_1: int\n    knee_2: int\n    knee: int\n    knee1_a: int\n    identity: int\n"
    load_application(write_application(tmp_path, text))


def test_two_arguments_that_are_one_on_the_wire(tmp_path: Path) -> None:
    declared = "@query(public=True)\nasync def f(ctx: QueryContext, knee_1: int, knee1: int) -> None: ...\n"
    text = refusal_of(tmp_path, declared)
    assert f".py:{FIRST}: " in text
    assert text.endswith(":f: the arguments 'knee_1' and 'knee1' are both 'knee1' on the wire; rename one of them")


# --- types that no client can send ------------------------------------------------------------------------------------

TYPES = """
import collections, dataclasses, datetime, decimal, enum, ipaddress, pathlib, typing, typing_extensions, uuid
from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, NaiveDatetime, PlainSerializer, RootModel

class Arbitrary: ...
class Colour(enum.StrEnum):
    RED = "red"
class Inner(Model):
    seen: set[int]
class Outer(Model):
    inner: list[Inner]
class Nested(Model):
    children: list[Nested] = []
    extra: set[int] = set()
class Plain(BaseModel):
    seen: set[int]
@dataclasses.dataclass
class Point:
    x: int
class Mapped(typing_extensions.TypedDict):
    seen: set[int]
class Partly(typing_extensions.TypedDict, total=False):
    seen: set[int]
@dataclasses.dataclass
class Dated:
    day: datetime.date = datetime.date(2026, 11, 30)
class Kind(enum.Enum):
    SMALL = "small"
class Size(enum.IntEnum):
    SMALL = 1
class Hidden(Model):
    x: int = 1
    seen: set[int] = Field(default_factory=set, exclude=True)
T = typing.TypeVar("T")
class Box(Model, typing.Generic[T]):
    held: T
"""


def taking(annotation: str, access: str = "public=True", default: str = "") -> str:
    return f"{TYPES}\n@query({access})\nasync def f(ctx: QueryContext, x: {annotation}{default}) -> None: ...\n"


@pytest.mark.parametrize(
    ("annotation", "told"),
    [
        ("set[int]", "argument 'x': set cannot travel; a list can"),
        ("frozenset[str] | None", "argument 'x': frozenset cannot travel; a list can"),
        ("tuple[int, ...]", "argument 'x': tuple cannot travel; as an argument it is a list"),
        ("set[int] | tuple[int] | None", "argument 'x': set cannot travel"),
        ("list[decimal.Decimal]", "argument 'x': Decimal cannot travel; a string or a float can"),
        ("dict[str, uuid.UUID]", "argument 'x': UUID cannot travel; a string can"),
        ("dict[int, str]", "argument 'x': the keys of a map are strings, not int"),
        ("dict[datetime.date, str]", "argument 'x': date cannot travel"),
        ("datetime.date", "argument 'x': date cannot travel; an aware datetime can, or a string"),
        ("datetime.timedelta", "argument 'x': timedelta cannot travel; a number can"),
        ("NaiveDatetime", "argument 'x': a datetime without a time zone cannot travel; an aware one can"),
        ("Colour", "argument 'x': Colour cannot travel; use a Literal"),
        ("typing.Literal[Colour.RED]", ""),
        ("collections.deque[int]", "argument 'x': deque cannot travel; a list can"),
        ("pathlib.Path", "argument 'x': Path cannot travel; a string can"),
        ("ipaddress.IPv4Address", "argument 'x': IPv4Address cannot travel"),
        ("typing.Callable[[], int]", "argument 'x': a function cannot travel"),
        ("typing.Annotated[set[int], AfterValidator(len)]", "argument 'x': set cannot travel"),
        ("Arbitrary", "argument 'x': Arbitrary cannot travel; a synovia Model can"),
        ("ArrayRef", "argument 'x': ArrayRef cannot travel; declare arrays as Float64Array or Array"),
        ("Point", "argument 'x': Point cannot travel; a synovia Model can"),
        ("Mapped", ".Mapped.seen: set cannot travel; a list can"),
        ("Inner", ".Inner.seen: set cannot travel; a list can"),
        ("Outer", ".Inner.seen: set cannot travel; a list can"),
        ("Box[set[int]]", "held: set cannot travel; a list can"),
        # What can be sent after all, or left out:
        ("int | set[int]", ""),
        ("typing.Annotated[set[int], Field(strict=False)]", ""),
        ("typing.Annotated[set[int], BeforeValidator(set)]", ""),
        ("Nested", ""),
        ("Plain", ""),
        ("RootModel[list[int]]", ""),
        ("Box[list[int]]", ""),
        ("Partly", ""),
        ("typing.Sequence[int]", ""),
        ("typing.Mapping[typing.Literal['a'], float]", ""),
        ("dict[Id[typing.Any], typing.Any]", ""),
        ("object", ""),
        ("Float64Array", ""),
    ],
)
def test_argument_types_that_no_client_can_send(tmp_path: Path, annotation: str, told: str) -> None:
    declared = taking(annotation)
    if told:
        text = refusal_of(tmp_path, declared)
        assert told in text
        assert f".py:{line_of(declared, '@query')}: " in text
    else:
        load_application(write_application(tmp_path, declared))


def test_an_argument_with_a_default_is_no_excuse(tmp_path: Path) -> None:
    assert "set cannot travel" in refusal_of(tmp_path, taking("set[int]", default=" = set()"))


def test_functions_that_only_the_application_calls_may_be_given_anything(tmp_path: Path) -> None:
    load_application(write_application(tmp_path, taking("set[int]", "internal=True")))


def test_a_result_that_pydantic_does_not_know(tmp_path: Path) -> None:
    declared = TYPES + "\n@query(public=True)\nasync def f(ctx: QueryContext) -> list[Arbitrary]: ...\n"
    assert ":f: its result: " in refusal_of(tmp_path, declared)


def giving(annotation: str, value: str, access: str = "public=True") -> str:
    return f"{TYPES}\n@query({access})\nasync def f(ctx: QueryContext) -> {annotation}:\n    return {value}\n"


@pytest.mark.parametrize(
    ("annotation", "told"),
    [
        ("set[int]", "its result: set cannot travel; a list can"),
        ("list[frozenset[str]]", "its result: frozenset cannot travel; a list can"),
        ("datetime.date | None", "its result: date cannot travel; an aware datetime can, or a string"),
        ("dict[str, decimal.Decimal]", "its result: Decimal cannot travel; a string or a float can"),
        ("dict[int, str]", "its result: the keys of a map are strings, not int"),
        ("typing.Annotated[set[int], Field(strict=False)]", "its result: set cannot travel"),
        ("Kind", "its result: Kind cannot travel; use a Literal"),
        ("Plain", ".Plain.seen: set cannot travel; a list can"),
        ("Mapped", ".Mapped.seen: set cannot travel; a list can"),
        ("Dated", ".Dated.day: date cannot travel"),
    ],
)
@pytest.mark.parametrize("access", ["public=True", "internal=True"])
def test_results_that_can_never_be_sent(tmp_path: Path, annotation: str, told: str, access: str) -> None:
    declared = giving(annotation, "typing.cast(typing.Any, None)", access)
    text = refusal_of(tmp_path, declared)
    assert told in text
    assert f".py:{line_of(declared, '@query')}: " in text


@pytest.mark.parametrize(
    ("annotation", "value", "sent"),
    [
        ("tuple[int, str]", "1, 'a'", [1, "a"]),
        ("Point", "Point(1)", {"x": 1}),
        ("Size", "Size.SMALL", 1),
        ("Hidden", "Hidden()", {"x": 1}),
        ("Partly", "{}", {}),
        ("int | set[int]", "1", 1),
        ("dict[str, int]", "collections.Counter('a')", {"a": 1}),
        ("typing.Annotated[decimal.Decimal, PlainSerializer(str)]", "decimal.Decimal('1.50')", "1.50"),
        ("typing.Any", "[1]", [1]),
    ],
)
async def test_results_that_are_sent(tmp_path: Path, annotation: str, value: str, sent: object) -> None:
    async with TestApp(write_application(tmp_path, giving(annotation, value))) as app:
        [path] = [each for each in app.registry.functions if each.endswith(":f")]
        assert await app.caller().query(path) == sent


def test_all_functions_that_cannot_be_are_told_at_once(tmp_path: Path) -> None:
    wrong = "\n@query(public=True)\nasync def {}(ctx: QueryContext, x: set[int], y: tuple[int]) -> None: ...\n"
    text = refusal_of(tmp_path, wrong.format("one") + wrong.format("two"))
    assert [line.rpartition("written_")[2].partition(":")[2].split(":")[0] for line in text.split("\n")] == [
        "one",
        "two",
    ]
    assert text.count("'y': tuple") == 2


# --- defaults ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("declared", "told"),
    [
        ("size: int = 'small'", "'small': Input should be a valid integer"),
        ("size: int = None", "None: Input should be a valid integer"),
        ("size: Annotated[int, Field(ge=1)] = 0", "0: Input should be greater than or equal to 1"),
        ("size: list[str] = ()", "(): Input should be a valid list"),
        ("size: Literal['a', 'b'] = 'c'", "'c': Input should be 'a' or 'b'"),
        ("size: Later = 1", "1: Input should be a valid dictionary or instance of Later"),
        (
            f"size: str = Field({'a' * 99!r}, max_length=3)",
            f"'{'a' * 12}...{'a' * 13}': String should have at most 3 c",
        ),
    ],
)
def test_defaults_that_their_own_fields_cannot_hold(tmp_path: Path, declared: str, told: str) -> None:
    first = "from typing import Annotated, Literal\nfrom pydantic import Field\n"
    later = "\nclass Later(Model):\n    x: int\n"
    text = refusal_of(tmp_path, f"{first}class T(Table):\n    count: int = 1\n    {declared}\n{later}")
    assert f".py:{FIRST + 4}: T.size cannot hold its default {told}" in text
    text = refusal_of(
        tmp_path, f"{first}{later}\n@query(public=True)\nasync def f(ctx: QueryContext, {declared}) -> None: ..."
    )
    assert f"argument 'size' cannot hold its default {told}" in text
    assert f".py:{FIRST + 6}: " in text
    if "Later" not in declared:
        assert f"M.size cannot hold its default {told}" in refusal_of(
            tmp_path, f"{first}class M(Model):\n    {declared}\n"
        )


def test_defaults_that_are_right(tmp_path: Path) -> None:
    declared = """
        from collections.abc import Mapping
        from datetime import datetime, UTC
        from enum import StrEnum
        from typing import Annotated, Any, Literal
        from pydantic import Field, field_validator, model_validator

        class Colour(StrEnum):
            RED = "red"

        class City(Model):
            name: str = ""

            @model_validator(mode="before")
            @classmethod
            def named(cls, given: dict[str, Any]) -> dict[str, Any]:
                return {"name": given["title"]}

        class Thing(Table):
            text: str
            size: float = 1
            colour: Colour = Colour.RED
            made: datetime = datetime(2026, 11, 30, tzinfo=UTC)
            city: City = City(title="")
            owner_id: Id[Thing] | None = None
            ids: list[Id[Thing]] = []
            free: dict[str, Any] = {}
            secret: Encrypted[str] = ""
            kind: Literal["a"] = "a"
            some: Annotated[int, Field(ge=1)] = Field(default_factory=lambda: 0)

            @field_validator("text")
            @classmethod
            def long(cls, text: str) -> str:
                if not text:
                    raise ValueError("say something")
                return text

        @query(public=True)
        async def f(ctx: QueryContext, text: str, size: float = 1, city: City = City(title=""),
                    owner_id: Id[Thing] | None = None, some_ids: list[Id[Thing]] = [], most: int | None = None) -> None: ...
        """
    load_application(write_application(tmp_path, declared))


# --- indexes ----------------------------------------------------------------------------------------------------------

TABLE = """
from contextlib import suppress
from typing import Any
from synovia import AggregateIndex, SearchIndex, VectorIndex

class Box(Model):
    tag: int

INDEXES = [
    Index("by_owner", "owner", "at"), Index("by_tag", "box.tag"), SearchIndex("by_words", "words", filters=["owner"]),
    VectorIndex("by_meaning", "meaning", dimensions=2, filters=["owner"]), AggregateIndex("by_at", "owner", "at"),
]

class Thing(Table, name="things", indexes=INDEXES):
    owner: str
    at: int
    box: Box
    words: str = ""
    meaning: list[float] | None = None

"""
INSIDE = "@query(public=True)\nasync def f(ctx: QueryContext) -> Any:\n    "


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("return await ctx.db.query(Thing).using('by_onwer', owner='a').take(1)", "things has no index 'by_onwer'"),
        ("return await ctx.db.query(Thing).order('desc').using('nope').first()", "things has no index 'nope'"),
        ("return await ctx.db.query(Thing).using('by_owner', at=1).take(1)", "things.by_owner is over owner, at"),
        ("return await ctx.db.query(Thing).using('by_tag', tag=1).take(1)", "things.by_tag is over box.tag"),
        ("return [ctx.db.query(Thing).using('by_x') for _ in range(3)]", "things has no index 'by_x'"),
        ("return await ctx.db.query(Thing).using('by_owner', owner='a', at=gt(1)).take(1)", ""),
        ("return await ctx.db.query(Thing).using('by_tag', box__tag=1).take(1)", ""),
        ("return await ctx.db.query(Thing).using('by_id', id='a').take(1)", ""),
        ("return await ctx.db.query(Thing).search('by_word', 'a').take(1)", "things has no search index 'by_word'"),
        (
            "return await ctx.db.query(Thing).search('by_words', 'a', at=1).take(1)",
            "things.by_words does not filter by at",
        ),
        ("return await ctx.db.query(Thing).nearest('by', [1.0, 0.0]).take(1)", "things has no vector index 'by'"),
        ("return await ctx.db.query(Thing).aggregate('by_a').count()", "things has no aggregate index 'by_a'"),
        ("return await ctx.db.query(Thing).aggregate('by_at', at=1).count()", "things.by_at is over owner, at"),
        ("return await ctx.db.query(Thing).search('by_words', text(), owner='a').take(1)", ""),
        ("return await ctx.db.query(Thing).nearest('by_meaning', [1.0, 0.0], owner='a').take(1)", ""),
        # What may work, or cannot be told:
        ("name = 'nope'\n    return await ctx.db.query(Thing).using(name).take(1)", ""),
        ("return await ctx.db.query(Thing).using('by_owner', **{'at': 1}).take(1)", ""),
        ("Thing = other()\n    return await ctx.db.query(Thing).using('nope').take(1)", ""),
        ("return [ctx.db.query(Thing).using('nope') for Thing in ()]", ""),
        ("return ctx.search.query(Thing).using('nope')", ""),
        ("query = ctx.db.query(Thing)\n    return query.using('nope')", ""),
        ("try:\n        ctx.db.query(Thing).using('nope')\n    except FunctionError:\n        pass", ""),
        ("with suppress(FunctionError):\n        ctx.db.query(Thing).using('nope')", ""),
        ("from .elsewhere import Thing\n    return ctx.db.query(Thing).using('nope')", ""),
    ],
)
def test_indexes_that_are_not_there(tmp_path: Path, body: str, told: str) -> None:
    declared = TABLE + INSIDE + body + "\n"
    if told:
        text = refusal_of(tmp_path, declared)
        assert f".py:{line_of(declared, body)}: {told}" in text
    else:
        load_application(write_application(tmp_path, declared))


def test_an_argument_of_the_name_of_a_table_is_no_table(tmp_path: Path) -> None:
    helper = "async def helper(ctx: QueryContext, Thing: Any) -> Any:\n    return ctx.db.query(Thing).using('nope')\n"
    load_application(write_application(tmp_path, TABLE + helper))


def test_modules_that_are_only_imported_are_looked_at_too(tmp_path: Path) -> None:
    files = {
        "schema.py": TABLE,
        "_helpers.py": "from . import schema\n\nasync def f(db):\n    return db.query(schema.Thing).using('nope')\n",
        "a.py": "from . import _helpers\n",
    }
    text = refusal_of(tmp_path, files)
    assert "_helpers.py:6: things has no index 'nope'" in text


# --- how it is told ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("declared", "line"),
    [
        ("\nclass T(Table, indexes=[Index('by_x', 'x')]):\n    a: int\n", 1),
        ("\nclass T(Model):\n    a: int | None\n", 1),
        ("\n\n@query(public=True, internal=True)\nasync def f(ctx: QueryContext) -> None: ...\n", 2),
        ("\n@query(public=True)\ndef f(ctx: QueryContext) -> None: ...\n", 1),
        ("\n@query(public=True)\nasync def f(ctx: QueryContext, x) -> None: ...\n", 1),
        ("\n@query(public=True)\nasync def f(ctx: QueryContext, x: Nothing) -> None: ...\n", 1),
        ("\n@query\nasync def f(ctx: QueryContext) -> None: ...\n", 1),
    ],
)
def test_every_refusal_names_file_and_line(tmp_path: Path, declared: str, line: int) -> None:
    path = write_application(tmp_path, {"inside/it.py": declared})
    with pytest.raises(ApplicationError) as caught:
        load(path)
    assert str(caught.value).count(f"{path / 'inside' / 'it.py'}:{FIRST + line}") == 1
    path = write_application(tmp_path, declared)
    with pytest.raises(ApplicationError) as caught:
        load(path)
    assert str(caught.value).count(f"{path}:{FIRST + line}") == 1
    assert not str(caught.value).startswith(f"{path}: {path}:")


def test_what_is_right_is_not_looked_up_in_the_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Finding a line reads and parses a file: with it, an application of twenty tables took a third of a second to load."""
    table = "class Note(Table, name='notes'):\n    text: str\n    secret: Encrypted[str]\n"
    path = write_application(tmp_path, table + function())

    def of_modules(declared: object, read: Callable[[Any], Any] = inspect.getsourcelines) -> Any:
        assert inspect.ismodule(declared), f"{declared} was looked for in its source"
        return read(declared)

    monkeypatch.setattr(inspect, "getsourcelines", of_modules)
    assert load_application(path).models.keys() == {"notes"}


def test_arguments_may_have_names_that_models_have(tmp_path: Path) -> None:
    source = "@mutation(public=True)\nasync def f(ctx: MutationContext, copy: int, json: str) -> None: ...\n"
    [found] = load_application(str(write_application(tmp_path, source))).functions.values()
    assert found.validate({"copy": 1, "json": "x"}) == {"copy": 1, "json": "x"}
