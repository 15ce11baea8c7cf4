from __future__ import annotations

import datetime as dt
import ipaddress
import ssl
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from helpers.raw_requests import ask, head, line, until_closed
from helpers.sync_server import client_of, serving

PASSWORD = "only for this test"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a certificate for 127.0.0.1, in ``cert.pem``, its key in ``key.pem`` and encrypted in ``locked.pem``."""
    folder = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(signed.public_bytes(Encoding.PEM))
    form = PrivateFormat.PKCS8
    (folder / "key.pem").write_bytes(key.private_bytes(Encoding.PEM, form, NoEncryption()))
    locked = key.private_bytes(Encoding.PEM, form, BestAvailableEncryption(PASSWORD.encode()))
    (folder / "locked.pem").write_bytes(locked)
    (folder / "password").write_text(PASSWORD + "\n")
    return folder


@pytest.mark.parametrize("key", ["key.pem", "locked.pem"])
async def test_with_a_certificate_only_tls_is_spoken(certificate: Path, key: str) -> None:
    files = {"tls_cert": certificate / "cert.pem", "tls_key": certificate / key}
    trusting = ssl.create_default_context(cafile=str(certificate / "cert.pem"))
    async with serving(settings={**files, "tls_key_password_file": certificate / "password"}) as running:
        running.url = running.url.replace("ws://", "wss://")
        async with client_of(running, ssl=trusting) as client:
            assert await client.subscribe(1, "notes:on_board", {"board": "a"}) == []
            async with line(running, tls=trusting) as (reader, writer):
                writer.write(head("GET", "/health", {"host": f"127.0.0.1:{running.port}", "connection": "close"}))
                assert b"strict-transport-security: max-age=" in await until_closed(reader)
            async with line(running) as (reader, writer):
                writer.write(head("GET", "/health", {"host": "x"}))
                assert b"HTTP" not in await until_closed(reader)


async def test_a_tls_handshake_that_does_not_come_is_not_waited_for(certificate: Path) -> None:
    files = {"tls_cert": certificate / "cert.pem", "tls_key": certificate / "key.pem"}
    async with serving(settings=files, request_timeout=0.3) as running, line(running) as (reader, _):
        assert await until_closed(reader) == b""


async def test_every_answer_tells_browsers_what_a_page_may_do() -> None:
    async with serving() as running:
        for answered in (await ask(running), await ask(running, path="/nowhere"), await ask(running, origin="null")):
            policy = answered.headers["content-security-policy"]
            assert "script-src 'self' https://accounts.google.com/gsi/client;" in policy
            assert "frame-ancestors 'none'" in policy
            assert "unsafe" not in policy
            assert answered.headers["x-content-type-options"] == "nosniff"
            assert answered.headers["referrer-policy"] == "no-referrer"
            assert "strict-transport-security" not in answered.headers
            assert "server" not in answered.headers


async def test_behind_a_trusted_proxy_that_speaks_tls_browsers_are_told_to_keep_to_it() -> None:
    async with serving(settings={"trusted_proxies": "127.0.0.2"}) as running:
        behind = await ask(running, source="127.0.0.2", x_forwarded_proto="https", x_forwarded_for="203.0.113.7")
        assert behind.headers["strict-transport-security"].startswith("max-age=")
        forged = await ask(running, source="127.0.0.3", x_forwarded_proto="https")
        assert "strict-transport-security" not in forged.headers
