"""Search indexes as an application declares them, and the terms that documents carry for them.

A document of a table with a search index has its terms with it, in a field that no row shows. The database indexes them
as it indexes any list, so reads of them are intervals like all others: they conflict, are followed and rolled forward alike.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from synovia.errors import FunctionError, SchemaError
from synovia.keys import IndexSpec
from synovia.schema.fields import list_on_the_way, texts_on_the_way
from synovia.schema.index_fields import check_fields, database_name, encoded_defaults
from synovia.schema.specs import SEARCH_TERMS, Document, SearchSpec, TableSpec
from synovia.search import WAY, Analyzer, Terms, algorithms, languages, weighing
from synovia.turns import at_once

MAX_TEXT_BYTES: Final = 128 * 1024
"""So much text of a document one index takes (UTF-8)."""
_MOST_FILTERS: Final = 8


@dataclass(frozen=True, slots=True)
class SearchIndex:
    """Lets the texts of a table be searched: ``SearchIndex("by_text", "title", "notes", filters=("organization_id",))``.

    Args:
        name: What ``search`` calls it.
        fields: The Python names of the fields that are searched, the most important first: text, or lists of texts; dots
            reach into embedded models.
        filters: The fields whose values every search gives, or the rules of the table give for it. What has other values
            costs it nothing.
        language: Words with one stem are one word, as ``"english"`` has *angle* and *angles*; None: only the same words are.
    """

    name: str
    fields: tuple[str, ...]
    filters: tuple[str, ...]
    language: str | None

    def __init__(self, name: str, *fields: str, filters: Sequence[str] = (), language: str | None = None) -> None:
        if not fields:
            raise SchemaError(f"the search index {name!r} has no fields")
        if language is not None and language not in languages():
            raise SchemaError(
                f"the search index {name!r}: no stems are known for {language!r}; there are {', '.join(languages())}"
            )
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "fields", fields)
        object.__setattr__(self, "filters", (filters,) if isinstance(filters, str) else tuple(filters))
        object.__setattr__(self, "language", language)

    def check(self, table: Any) -> None:
        """Refuse what cannot work.

        Raises:
            SchemaError: A field is not there, or cannot be what it is to be.
        """
        place = f"{table.__name__}: the search index {self.name!r}"
        check_fields(table, place, (*self.fields, *self.filters), "its words are not to be stored")
        if len({*self.fields}) < len(self.fields) or len({*self.filters}) < len(self.filters):
            raise SchemaError(f"{place} names a field twice")
        if len(self.filters) > _MOST_FILTERS:
            raise SchemaError(f"{place} has more than {_MOST_FILTERS} filters")
        for field in self.fields:
            if not texts_on_the_way(table, field):
                raise SchemaError(f"{place} is over {field!r}, which holds no text")
        for field in self.filters:
            if list_on_the_way(table, field) is not None:
                raise SchemaError(f"{place} filters by {field!r}, which is a list; say .where(...) when you search")

    def spec_for(self, table: Any) -> SearchSpec:
        """Describe it to a database."""
        fields, filters = tuple(map(database_name, self.fields)), tuple(map(database_name, self.filters))
        key = self._key(fields)
        words = f"{SEARCH_TERMS}.{key}.words"
        defaults = (*(encoded_defaults(table, field) for field in self.filters), (None,) * 3)
        some = any(default is not None for each in defaults for default in each)
        index = IndexSpec(self.name, (*filters, words), False, defaults if some else ())
        lacking = IndexSpec(f"{self.name}.lacking", (f"{SEARCH_TERMS}.{key}.there",))
        return SearchSpec(self.name, fields, self.filters, self.language, key, index, lacking)

    def _key(self, fields: tuple[str, ...]) -> str:
        """Give the name under which documents keep the terms: another one whenever these would be others."""
        way = [WAY, fields, self.language, None if self.language is None else algorithms()]
        return f"{self.name}_{hashlib.sha256(json.dumps(way).encode()).hexdigest()[:8]}"


@cache
def analyzer_of(language: str | None) -> Analyzer:
    """Give what cuts texts of a language into terms."""
    return Analyzer(language)


def terms_in(search: SearchSpec, document: Mapping[str, Any]) -> Terms:
    """Give the terms that a document carries; those of a document that carries none are none."""
    kept = _kept(document).get(search.key)
    words, weights = (kept.get("words"), kept.get("weights")) if isinstance(kept, Mapping) else (None, None)
    return Terms(words if isinstance(words, list) else [], weights if isinstance(weights, bytes) else b"")


def keeping_terms(
    table: TableSpec, before: Document | None, after: Document, *, strict: bool = True
) -> Generator[None, None, None]:
    """Write into a document that is to be stored the terms under which it is to be found. Stops now and then.

    Terms of other versions of the application stay only if nothing else changes: they may be of what does.

    Args:
        before: As it was stored.
        strict: Whether too much text is refused; without this its beginning counts.

    Raises:
        FunctionError: It has more text than an index takes (``too_much_text``).
    """
    if not table.searches and SEARCH_TERMS not in after:
        return
    was = _kept(before) if before is not None else {}
    own: Document = {}
    for each in table.searches:
        own[each.key] = yield from _terms_after(table, each, before, after, strict)
    if before is not None and was.keys() - own.keys() and _without_terms(before) == _without_terms(after):
        own = {**was, **own}
    if own:
        after[SEARCH_TERMS] = own
    else:
        after.pop(SEARCH_TERMS, None)


def keep_terms(table: TableSpec, before: Document | None, after: Document, *, strict: bool = True) -> None:
    """Do the same at once."""
    at_once(keeping_terms(table, before, after, strict=strict))


def has_other_terms(table: TableSpec, document: Mapping[str, Any]) -> bool:
    """Tell whether the terms of a document are not those of its texts."""
    kept = _kept(document)
    return any(at_once(_as_kept(each, document)) != kept.get(each.key) for each in table.searches)


def _kept(document: Mapping[str, Any]) -> Mapping[str, Any]:
    kept = document.get(SEARCH_TERMS)
    return kept if isinstance(kept, Mapping) else {}


def _terms_after(
    table: TableSpec, search: SearchSpec, before: Document | None, after: Document, strict: bool
) -> Generator[None, None, Document]:
    if before is not None and (kept := _kept(before).get(search.key)) is not None:
        same = all(before.get(top) == after.get(top) for top in {field.split(".")[0] for field in search.fields})
        if same and isinstance(kept, dict):
            return kept
    if strict and (size := sum(len(_encoded(text)) for text in _texts_of(search, after))) > MAX_TEXT_BYTES:
        raise FunctionError(
            "too_much_text",
            f"{table.name}: {', '.join(search.fields)} have {size:,} bytes of text; the search index {search.name!r}"
            f" takes {MAX_TEXT_BYTES:,}",
            {"table": table.name, "index": search.name},
        )
    return (yield from _as_kept(search, after))


def _as_kept(search: SearchSpec, document: Mapping[str, Any]) -> Generator[None, None, Document]:
    left, texts = MAX_TEXT_BYTES, []
    for encoded in map(_encoded, _texts_of(search, document)):
        texts.append(encoded[:left].decode(errors="ignore"))
        left = max(0, left - len(encoded))
    terms = yield from weighing(analyzer_of(search.language), texts)
    if any(_holds_list(document, field.split(".")) for field in search.index.fields[:-1]):
        return {"words": None, "weights": b"", "there": True}  # by another program: no index can hold two lists
    return {"words": terms.words, "weights": terms.weights, "there": True}


def _holds_list(value: Any, path: Sequence[str]) -> bool:
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else value
    return isinstance(value, list | tuple)


def _encoded(text: str) -> bytes:
    return text.encode(errors="replace")


def _texts_of(search: SearchSpec, document: Mapping[str, Any]) -> list[str]:
    return ["\n".join(_texts(document, field.split("."))) for field in search.fields]


def _texts(value: Any, path: Sequence[str]) -> Iterator[str]:
    """Give the texts at the end of a way through maps and lists."""
    if isinstance(value, list | tuple):
        for element in value:
            yield from _texts(element, path)
    elif path:
        if isinstance(value, Mapping):
            yield from _texts(value.get(path[0]), path[1:])
    elif isinstance(value, str):
        yield value


def without_terms(document: Document) -> Document:
    """Give a document without its terms, as people and other programs see it."""
    return document if SEARCH_TERMS not in document else _without_terms(document)


def _without_terms(document: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name != SEARCH_TERMS}
