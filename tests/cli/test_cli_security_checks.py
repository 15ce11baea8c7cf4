"""The command line: who may come to a server, and which secrets it takes from where."""

from __future__ import annotations

import typing
from pathlib import Path

import pytest
import typer.main
from pydantic import SecretStr, ValidationError

from cli.command_line import BOARD, server, synovia
from helpers.certificates import write_certificate
from synovia.auth.settings import AuthSettings
from synovia.cli.commands import app
from synovia.cli.options import environment
from synovia.cli.security_checks import concerns
from synovia.config import Settings

PASSWORD = "only-for-this-test"


@pytest.mark.parametrize("command", [("serve", str(BOARD)), ("dev", str(BOARD)), ("run", str(BOARD), "notes:who_am_i")])
def test_a_password_on_a_command_line_is_refused_and_not_repeated(command: tuple[str, ...]) -> None:
    done = synovia(*command, "--store", f"mongodb://me:{PASSWORD}@127.0.0.1:1/x")
    assert done.returncode == 2
    assert "SYNOVIA_STORE_FILE" in done.stderr
    assert PASSWORD not in done.stdout + done.stderr


def test_the_address_of_the_store_may_be_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "store").write_text(f"sqlite:///{tmp_path / 'x.db'}\n")
    done = synovia("run", str(BOARD), "notes:on_board", '{"board": "a"}', SYNOVIA_STORE_FILE=str(tmp_path / "store"))
    assert (done.returncode, done.stdout.strip()) == (0, "[]")
    assert (tmp_path / "x.db").exists()
    missing = synovia("run", str(BOARD), "notes:on_board", SYNOVIA_STORE_FILE=str(tmp_path / "nowhere"))
    assert missing.returncode == 2
    assert "SYNOVIA_STORE_FILE" in missing.stderr


def test_what_is_passed_on_to_workers_goes_by_their_environment(tmp_path: Path) -> None:
    settings = Settings(
        origins="https://app.example.org",
        trusted_proxies="10.0.0.0/8,::1",
        tls_cert=tmp_path / "cert.pem",
        tls_key=tmp_path / "key.pem",
    )
    passed = environment(settings, f"mongodb://me:{PASSWORD}@db/x", 8123)
    assert passed["SYNOVIA_STORE"] == f"mongodb://me:{PASSWORD}@db/x"
    assert passed["SYNOVIA_PORT"] == "8123"
    assert passed["SYNOVIA_TRUSTED_PROXIES"] == "10.0.0.0/8,::1/128"
    assert (passed["SYNOVIA_ORIGINS"], passed["SYNOVIA_TLS_CERT"]) == (
        "https://app.example.org",
        str(tmp_path / "cert.pem"),
    )


@pytest.mark.parametrize(
    ("told", "home"),
    [
        ({}, "http://127.0.0.1:8000"),
        ({"host": "0.0.0.0", "port": 9000}, "http://127.0.0.1:9000"),
        ({"host": "::1", "tls_cert": "cert.pem"}, "https://[::1]:8000"),
        ({"auth": {"email_link": "https://app.example.org/sign-in#token={token}"}}, "https://app.example.org"),
        ({"auth": {"email_link": "desk://sign-in/{token}"}}, "http://127.0.0.1:8000"),
        (
            {"public_url": "https://x.org/motion/", "auth": {"email_link": "https://app.example.org/{token}"}},
            "https://x.org/motion",
        ),
    ],
)
def test_where_links_in_mail_lead(told: dict[str, typing.Any], home: str) -> None:
    assert Settings(**told).home == home


@pytest.mark.parametrize("url", ["x.org", "ftp://x.org", "https://x.org/#a", "https://x.org/?a", "https://x .org", ""])
def test_addresses_that_links_cannot_lead_to(url: str) -> None:
    with pytest.raises(ValidationError):
        Settings(public_url=url)


def test_every_secret_can_come_from_a_file_and_none_from_a_flag() -> None:
    for settings in (Settings, AuthSettings):
        secrets = [name for name, field in settings.model_fields.items() if _holds(field.annotation, SecretStr)]
        assert secrets
        assert {f"{name}_file" for name in secrets} <= settings.model_fields.keys()
    flags = {name for command in typer.main.get_group(app).commands.values() for name in _flags(command)}
    assert flags >= {"--store", "--tls-cert", "--tls-key", "--origin", "--trusted-proxies"}
    assert not [flag for flag in flags if "password" in flag or "secret" in flag or "token" in flag]


def _holds(annotation: object, kind: type) -> bool:
    return annotation is kind or kind in typing.get_args(annotation)


def _flags(command: typing.Any) -> list[str]:
    return [flag for parameter in command.params for flag in parameter.opts]


def test_a_certificate_that_cannot_be_used_is_told_before_anything_starts(tmp_path: Path) -> None:
    (tmp_path / "cert.pem").write_text("nothing of the kind")
    for wrong in (tmp_path / "cert.pem", tmp_path / "nowhere.pem"):
        done = synovia("serve", str(BOARD), "--store", "sqlite://:memory:", "--tls-cert", str(wrong))
        assert done.returncode == 2
        assert "TLS" in done.stderr
    write_certificate(tmp_path / "good.pem")
    both = ("--tls-cert", str(tmp_path / "good.pem"), "--tls-key", str(tmp_path / "cert.pem"))
    done = synovia("serve", str(BOARD), "--store", "sqlite://:memory:", *both)
    assert done.returncode == 2
    assert str(tmp_path / "cert.pem") in done.stderr, "the key is what cannot be used"
    done = synovia("serve", str(BOARD), "--store", "sqlite://:memory:", "--tls-key", str(tmp_path / "cert.pem"))
    assert "SYNOVIA_TLS_KEY needs SYNOVIA_TLS_CERT" in done.stderr


def test_an_origin_that_is_none_is_told() -> None:
    done = synovia("serve", str(BOARD), "--store", "sqlite://:memory:", "--origin", "*")
    assert done.returncode == 2
    assert "not an origin" in done.stderr


def test_who_listens_to_the_world_without_tls_or_a_proxy_is_warned() -> None:
    assert list(concerns(Settings(host="0.0.0.0")))
    assert not list(concerns(Settings(host="127.0.0.1")))
    assert not list(concerns(Settings(host="0.0.0.0", trusted_proxies="10.0.0.0/8")))
    with server("serve", str(BOARD), "--store", "sqlite://:memory:", "--host", "0.0.0.0", "--port", "0") as running:
        assert "tokens and data travel readably" in running.banner


def test_who_lets_in_pages_without_an_origin_is_warned() -> None:
    (told,) = concerns(Settings(host="127.0.0.1", origins="https://app.example.org,null"))
    assert "'null'" in told
    assert not list(concerns(Settings(host="127.0.0.1", origins="file://")))


def test_an_address_with_a_password_is_in_no_text_of_the_settings() -> None:
    address = f"mongodb://me:{PASSWORD}@db/x"
    settings = Settings(store=address, tls_key_password=PASSWORD)
    assert PASSWORD not in repr(settings) + str(settings)
    with pytest.raises(ValidationError) as refused:
        Settings(store=address, port=-1)
    assert PASSWORD not in str(refused.value)


@pytest.mark.parametrize("everybody", ["0.0.0.0/0", "::/0", "10.0.0.1, 0.0.0.0/0"])
def test_who_believes_everybody_to_be_a_proxy_is_warned(everybody: str) -> None:
    (told,) = concerns(Settings(host="0.0.0.0", trusted_proxies=everybody))
    assert "every address is trusted as a proxy" in told
