"""``Env``: the settings that an application declares with types; read once, when a hub starts.

A setting comes from the variable of its name, from the file that ``NAME_FILE`` names, from the database (``synovia env
--set``), or has a default, the first of these that there is. A secret one never comes from the database, and is never shown.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Final, Literal, TypeVar, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Secret, SecretBytes, SecretStr, ValidationError
from pydantic.fields import FieldInfo

from synovia.errors import SchemaError
from synovia.functions.places import place_of
from synovia.schema import Table
from synovia.schema.faults import plain

Source = Literal["variable", "file", "database", "default", "missing"]
SECRET: Final = "(secret)"
_OF_THE_SERVER: Final = "SYNOVIA_"
_FILE: Final = "_FILE"

E = TypeVar("E", bound="Env")


class EnvError(SchemaError):
    """Settings of the application are missing, or do not parse; each line of the message is one of them."""


class EnvValue(Table, name="_env", system=True, text_ids=True):
    """A setting that is kept in the database; its id is the variable that it stands for.

    Attributes:
        value: As a variable would have it.
        at: When it was set, in milliseconds since 1970.
    """

    value: str
    at: int


class Env(BaseModel):
    """The settings of an application: it declares one class of these, ``ctx.env(ITS_CLASS)`` gives them to functions.

    A field ``page_size`` is the variable ``PAGE_SIZE``; lists and maps are JSON. ``SecretStr`` is for what nobody may see.

    Attributes:
        prefix: What its variables begin with, as ``CHAT_``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, validate_default=True)

    prefix: ClassVar[str] = ""

    @classmethod
    def variables(cls) -> dict[str, str]:
        """Name the variable of each field."""
        return {name: f"{cls.prefix}{name}".upper() for name in cls.model_fields}

    @classmethod
    def check(cls) -> None:
        """Raise SchemaError if variables cannot be told from those of the server, or from each other's files."""
        names = set(cls.variables().values())
        for name in names:
            if name.startswith(_OF_THE_SERVER):
                raise SchemaError(
                    f"{place_of(cls)}: {name}: variables that begin with {_OF_THE_SERVER} are the server's"
                )
            if name + _FILE in names:
                raise SchemaError(f"{place_of(cls)}: {name}{_FILE} names the file with {name}, so it can be no setting")


@dataclass(slots=True)
class EnvSetting:
    """A setting as an operator may see it.

    Attributes:
        variable: The name of its variable.
        type: As declared.
        source: Where it comes from.
        value: As JSON; of a secret ``(secret)``; None: there is none that fits.
        fault: What is wrong; None: nothing.
    """

    variable: str
    type: str
    secret: bool
    source: Source
    value: str | None = None
    fault: str | None = None


@dataclass(slots=True)
class EnvReading:
    """What was found of an application's settings.

    Attributes:
        settings: By field.
        faults: What is wrong with them together.
        unused: What the database keeps and nobody declares.
        env: The settings; None: something is wrong.
    """

    settings: dict[str, EnvSetting]
    faults: list[str] = field(default_factory=list)
    unused: list[str] = field(default_factory=list)
    env: Env | None = None

    def lines(self) -> list[str]:
        """Say all that is wrong."""
        return [f"{each.variable}: {each.fault}" for each in self.settings.values() if each.fault] + self.faults

    def checked(self) -> Env:
        """Give the settings.

        Raises:
            EnvError: Something is wrong.
        """
        if self.env is None:
            raise EnvError("\n".join(["settings of the application are not as it declares them:", *self.lines()]))
        return self.env


def is_secret(annotation: Any) -> bool:
    """Tell whether a type keeps what nobody may see."""
    of = get_origin(annotation) or annotation
    if isinstance(of, type) and issubclass(of, SecretStr | SecretBytes | Secret):
        return True
    return any(map(is_secret, get_args(annotation)))


def read_env(declared: type[Env], variables: Mapping[str, str], stored: Mapping[str, str]) -> EnvReading:
    """Read an application's settings. A variable that is empty counts as one that is not there.

    Args:
        variables: Of the process.
        stored: What the database keeps, by variable.
    """
    names = declared.variables()
    texts: dict[str, str] = {}
    reading = EnvReading({}, unused=sorted(set(stored) - set(names.values())))
    for name, info in declared.model_fields.items():
        reading.settings[name] = _found(names[name], info, variables, stored, name, texts)
    _parse(declared, texts, reading)
    return reading


def _found(
    variable: str,
    info: FieldInfo,
    variables: Mapping[str, str],
    stored: Mapping[str, str],
    name: str,
    texts: dict[str, str],
) -> EnvSetting:
    """Find the text of a setting."""
    setting = EnvSetting(variable, _words_of(info.annotation), is_secret(info.annotation), "default")
    file = variables.get(variable + _FILE)
    if text := variables.get(variable):
        setting.source, texts[name] = "variable", text
        if file:
            setting.fault = f"there are both {variable} and {variable}{_FILE}"
    elif file:
        setting.source = "file"
        try:
            texts[name] = Path(file).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            setting.fault = f"{variable}{_FILE}: {error}"
    elif variable in stored:
        setting.source, texts[name] = "database", stored[variable]
        if setting.secret:
            setting.fault = f"a secret does not belong in the database: synovia env PATH --unset {variable}"
    elif info.is_required():
        setting.source = "missing"
        setting.fault = f"missing: set {variable} or {variable}{_FILE}" + (
            "" if setting.secret else ", or synovia env --set"
        )
    return setting


def _parse(declared: type[Env], texts: Mapping[str, Any], reading: EnvReading) -> None:
    """Bring texts to their types; what looks like JSON and does not fit as a text is read as JSON."""
    values = dict(texts)
    faults = _faults_of(declared, values)
    for name in {fault_name for fault_name, *_ in faults if fault_name in values}:
        if values[name][:1] in ("[", "{"):
            try:
                values[name] = json.loads(values[name])
            except ValueError:
                continue
    for name, text in _faults_of(declared, values):
        setting = reading.settings.get(name)
        if setting is None:
            reading.faults.append(text)
        elif setting.fault is None:
            setting.fault = f"does not parse as {setting.type}" if setting.secret else f"{text} ({setting.type})"
    if not reading.lines():
        reading.env = declared.model_validate(values)
        shown = reading.env.model_dump(mode="json")
        for name, setting in reading.settings.items():
            setting.value = SECRET if setting.secret else json.dumps(shown[name], ensure_ascii=False)


def _faults_of(declared: type[Env], values: Mapping[str, Any]) -> list[tuple[str, str]]:
    try:
        declared.model_validate(values)
    except ValidationError as error:
        return [*_told(error)]
    return []


def _told(error: ValidationError) -> Iterator[tuple[str, str]]:
    for each in error.errors(include_input=False, include_url=False):
        name, *inside = [*map(str, each["loc"]), ""]
        place = f"{'.'.join(filter(None, inside))}: " if any(inside) else ""
        yield name, place + plain(each["msg"])


def _words_of(annotation: Any) -> str:
    """Name a type as it is declared."""
    if isinstance(annotation, type) and not get_args(annotation):
        return annotation.__name__
    return str(annotation).replace("typing.", "").replace("pydantic.types.", "")
