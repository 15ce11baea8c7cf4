"""SYNOVIA_AUTH_*: what is read, from where, and what is refused before the server starts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from synovia.auth.settings import AuthSettings
from synovia.auth.sign_in import SignInService
from synovia.config import Settings
from synovia.store import open_store

SECRET = "correct horse battery staple".replace(" ", "-") + "-and-more"


def test_variables_become_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNOVIA_AUTH_GOOGLE_CLIENT_IDS", "desktop, web")
    monkeypatch.setenv("SYNOVIA_AUTH_ISSUERS", '[{"issuer": "https://a.example", "audience": ["us"]}]')
    monkeypatch.setenv("SYNOVIA_AUTH_ACCESS_LIFETIME", "300")
    monkeypatch.setenv("SYNOVIA_AUTH_SECRET", f"{SECRET} {SECRET}-old")
    monkeypatch.setenv("SYNOVIA_AUTH_SMTP_HOST", "mail.example")
    monkeypatch.setenv("SYNOVIA_AUTH_SMTP_PASSWORD", "hush-hush")
    settings = Settings().auth
    assert settings.google_client_ids == ("desktop", "web")
    assert [each.issuer for each in settings.all_issuers()] == ["https://a.example"]
    assert settings.session_times.access == 300
    assert settings.secrets() == [SECRET, f"{SECRET}-old"]
    mailer = settings.mailer()
    assert mailer is not None
    assert (mailer.host, mailer.password, mailer.starttls, mailer.tls) == ("mail.example", "hush-hush", True, False)
    shown = repr(settings) + str(settings) + repr(mailer) + repr(Settings())
    assert SECRET not in shown
    assert "hush" not in shown


def test_secrets_and_issuers_come_from_files_too(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(f"{SECRET}\n{SECRET}-old\n")
    (tmp_path / "password").write_text("hush-hush\n")
    (tmp_path / "issuers").write_text(
        '[{"issuer": "https://b.example", "authorized_parties": ["https://app.example"]}]'
    )
    settings = AuthSettings(
        secret_file=tmp_path / "secret",
        issuers_file=tmp_path / "issuers",
        smtp_host="mail.example",
        smtp_password_file=tmp_path / "password",
    )
    assert settings.secrets() == [SECRET, f"{SECRET}-old"]
    assert [each.issuer for each in settings.all_issuers()] == ["https://b.example"]
    mailer = settings.mailer()
    assert mailer is not None
    assert mailer.password == "hush-hush"


@pytest.mark.parametrize(
    "wrong",
    [
        {"access_lifetime": 1},
        {"refresh_lifetime": 0},
        {"google_certs_url": "http://example.org"},
        {"email_link": "https://example.org"},
        {"smtp_security": "maybe"},
        {"issuers": [{"issuer": "https://a.example"}]},
        {"unheard_of": 1},
    ],
)
def test_what_cannot_be_meant_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        AuthSettings.model_validate(wrong)


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"google_client_ids": "a", "secret": "short-and-secret"}, "at least 32"),
        ({"google_client_ids": "a", "secret_file": "/nowhere/at/all"}, "SYNOVIA_AUTH_SECRET_FILE: .*No such file"),
        ({"issuers_file": "/nowhere/at/all"}, "SYNOVIA_AUTH_ISSUERS_FILE: .*No such file"),
        ({"smtp_host": "mail.example", "email_from": "the clinic"}, "SYNOVIA_AUTH_EMAIL_FROM is no address"),
        ({"issuers": [{"issuer": "https://a.example", "audience": ["us"]}] * 2}, "twice"),
        (
            {"google_client_ids": "a", "issuers": [{"issuer": "https://accounts.google.com", "audience": ["us"]}]},
            "twice",
        ),
        ({"smtp_host": "mail.example"}, "EMAIL_FROM"),
    ],
)
def test_what_cannot_work_is_said_before_the_start_and_tells_no_secret(wrong: dict[str, Any], why: str) -> None:
    with pytest.raises((ValueError, OSError), match=why) as caught:
        SignInService.configured(AuthSettings.model_validate(wrong), open_store("sqlite://:memory:"))
    assert "short-and-secret" not in str(caught.value)


def test_a_password_of_the_mail_server_that_is_not_there_is_named() -> None:
    settings = AuthSettings(smtp_host="mail.example", smtp_password_file=Path("/nowhere/at/all"))
    with pytest.raises(ValueError, match=r"SYNOVIA_AUTH_SMTP_PASSWORD_FILE: .*No such file"):
        settings.mailer()


def test_without_settings_nobody_can_sign_in() -> None:
    assert SignInService.configured(AuthSettings(), open_store("sqlite://:memory:")) is None
