"""Settings of encrypted fields: ``SYNOVIA_ENCRYPTION_...``. Keys come from a variable, a file or a command, no flag."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path
from typing import Final, Self

from pydantic import BaseModel, ConfigDict, SecretStr, model_validator

from synovia.sealing.keyring import BadKeys, Keyring, read_keys

_SECONDS: Final = 60.0


class EncryptionSettings(BaseModel):
    """Where the keys of encrypted fields are.

    Attributes:
        keys: The keys, as ``2027:KEY 2026:KEY search:KEY``: the first seals, all open; ``search`` is that of searchable
            fields. ``synovia encryption new ID`` makes one.
        keys_file: A file with that.
        keys_command: A command that prints that, as one that asks a vault; it is run without a shell when a hub starts.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    keys: SecretStr | None = None
    keys_file: Path | None = None
    keys_command: str | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        given = [name for name in ("keys", "keys_file", "keys_command") if getattr(self, name)]
        if len(given) > 1:
            names = " and ".join(f"SYNOVIA_ENCRYPTION_{name.upper()}" for name in given)
            raise ValueError(f"the keys are in one place, but there are {names}")
        return self

    def keyring(self) -> Keyring | None:
        """Read the keys; None: there are none.

        Raises:
            BadKeys: They cannot be read, or cannot be used.
        """
        if self.keys is not None and (text := self.keys.get_secret_value()):
            return _read("SYNOVIA_ENCRYPTION_KEYS", text)
        if self.keys_file is not None:
            return _read("SYNOVIA_ENCRYPTION_KEYS_FILE", self._of_file(self.keys_file))
        if self.keys_command:
            return _read("SYNOVIA_ENCRYPTION_KEYS_COMMAND", self._of_command(self.keys_command))
        return None

    @staticmethod
    def _of_file(file: Path) -> str:
        try:
            return file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is no text"
            raise BadKeys(f"SYNOVIA_ENCRYPTION_KEYS_FILE: {file}: {reason}") from None

    @staticmethod
    def _of_command(command: str) -> str:
        name = "SYNOVIA_ENCRYPTION_KEYS_COMMAND"
        try:
            done = subprocess.run(
                shlex.split(command), stdout=subprocess.PIPE, timeout=_SECONDS, check=False, text=True
            )
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            told = f"it took longer than {_SECONDS:g} s" if isinstance(error, subprocess.TimeoutExpired) else str(error)
            raise BadKeys(f"{name}: {told}") from None
        if done.returncode:
            raise BadKeys(f"{name}: it ended with {done.returncode}")
        return done.stdout


def _read(where: str, text: str) -> Keyring:
    try:
        return read_keys(text)
    except BadKeys as error:
        raise BadKeys(f"{where}: {error}") from None
