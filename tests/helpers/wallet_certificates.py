"""Certificates as Apple issues them for passes, by an authority of the test's own."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

PASS_TYPE, TEAM = "pass.example.harbour", "TEAM123456"
SUBJECT = {
    NameOID.USER_ID: PASS_TYPE,
    NameOID.COMMON_NAME: f"Pass Type ID: {PASS_TYPE}",
    NameOID.ORGANIZATIONAL_UNIT_NAME: TEAM,
    NameOID.ORGANIZATION_NAME: "Harbour Arts",
}


def write_wallet_certificates(
    folder: Path, subject: dict[x509.ObjectIdentifier, str] | None = None, days: int = 1
) -> dict[str, Any]:
    """Write the files that the service's settings ask for, by the names of these.

    Args:
        days: For so long the certificate is valid, from two days ago on if it is negative.
    """
    authority, own = (rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2))
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Authority of passes")])
    name = x509.Name(
        [x509.NameAttribute(oid, value) for oid, value in (SUBJECT if subject is None else subject).items()]
    )
    files = {part: folder / f"{part}.pem" for part in ("wallet_certificate", "wallet_key", "wallet_intermediate")}
    files["wallet_intermediate"].write_bytes(_signed(issuer, authority, issuer, authority, 1, is_authority=True))
    files["wallet_certificate"].write_bytes(_signed(name, own, issuer, authority, days, is_authority=False))
    files["wallet_key"].write_bytes(own.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return files


def _signed(
    name: x509.Name, key: rsa.RSAPrivateKey, issuer: x509.Name, by: rsa.RSAPrivateKey, days: int, *, is_authority: bool
) -> bytes:
    now = dt.datetime.now(dt.UTC)
    builder = x509.CertificateBuilder(issuer, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - dt.timedelta(days=2)).not_valid_after(now + dt.timedelta(days=days))
    builder = builder.add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), True)
    return builder.sign(by, hashes.SHA256()).public_bytes(Encoding.PEM)
