"""``wss``: with a certificate that is trusted, and with one that is not."""

from __future__ import annotations

import datetime as dt
import ipaddress
import ssl
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from client.manual_clock import ManualClock
from client.options import TIMEOUTS
from client.peer import Peer, eventually
from synovia_client import Client


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with a certificate for 127.0.0.1, signed by itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "hub")])
    now = dt.datetime.now(dt.UTC)
    builder = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
    )
    signed = builder.sign(key, hashes.SHA256())
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path = tmp_path_factory.mktemp("tls") / "hub.pem"
    path.write_bytes(signed.public_bytes(pem) + private)
    return path


@pytest.fixture
def server_side(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


async def test_a_trusted_certificate(certificate: Path, server_side: ssl.SSLContext, clock: ManualClock) -> None:
    trusting = ssl.create_default_context(cafile=str(certificate))
    async with Peer(ssl=server_side) as peer:
        url = peer.url
        assert url.startswith("wss://")
        async with Client(url, ssl=trusting, clock=clock, timeouts=TIMEOUTS, proxy=None) as client:
            await peer.welcome()
            await client.connected()


async def test_a_certificate_that_nobody_vouches_for(server_side: ssl.SSLContext, clock: ManualClock) -> None:
    async with (
        Peer(ssl=server_side) as peer,
        Client(peer.url, clock=clock, timeouts=TIMEOUTS, proxy=None, random=lambda: 0.9) as client,
    ):
        await eventually(lambda: "certificate" in (client.trouble or ""))
        assert client.state == "connecting"
        assert peer.handshakes == 0
