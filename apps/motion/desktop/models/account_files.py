"""Where this program keeps what outlives it: for each account on each server the changes that wait, and settings."""

from __future__ import annotations

import hashlib
from pathlib import Path

from PySide6.QtCore import QSettings, QStandardPaths

ORGANIZATION, NAME = "Synovia", "Motion Desk"


class AccountFiles:
    """The folder of one account on one server: nobody's changes may be sent under somebody else's name.

    Args:
        root: The folder of the program's data.
        url: The server.
        account: The e-mail address that signs in.
    """

    def __init__(self, root: Path, url: str, account: str) -> None:
        self.account = account
        self.folder = root / hashlib.sha256(f"{url}\n{account.strip().lower()}".encode()).hexdigest()[:24]
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    @property
    def outbox(self) -> Path:
        """The file in which changes wait for a connection."""
        return self.folder / "outbox.db"


class Preferences:
    """What the program remembers from one start to the next.

    Args:
        root: A folder of its own, for tests; by default where the system keeps such things.
    """

    def __init__(self, root: Path | None = None) -> None:
        if root is None:
            self.root = Path(QStandardPaths.writableLocation(QStandardPaths.StandardLocation.AppLocalDataLocation))
            self.settings = QSettings(ORGANIZATION, NAME)
        else:
            self.root = root
            self.settings = QSettings(str(root / "settings.ini"), QSettings.Format.IniFormat)

    def account_on(self, url: str) -> str | None:
        """Give the account that was signed in on a server last, and has not signed out."""
        found = self.settings.value(f"accounts/{_key(url)}")
        return str(found) if found else None

    def development_token_on(self, url: str) -> str | None:
        """Give the name that a server for development takes for a token; None: that account has tokens of its own."""
        found = self.settings.value(f"development/{_key(url)}")
        return str(found) if found else None

    def remember_account(self, url: str, account: str | None, token: str | None = None) -> None:
        """Sign in by itself at the next start; None: do not.

        Args:
            token: What a server for development takes, and gives no tokens for.
        """
        for group, value in (("accounts", account), ("development", token)):
            if value is None:
                self.settings.remove(f"{group}/{_key(url)}")
            else:
                self.settings.setValue(f"{group}/{_key(url)}", value)
        self.settings.sync()


def _key(url: str) -> str:
    return hashlib.sha256(url.encode()).hexdigest()[:16]
