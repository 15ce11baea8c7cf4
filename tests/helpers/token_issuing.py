"""Issuers of our own: keys, what their key servers show, and tokens, good ones and every kind of bad ones."""

from __future__ import annotations

import base64
import datetime as dt
import json
from dataclasses import dataclass, field
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def segment(value: Any) -> str:
    return b64(json.dumps(value).encode())


def _number(value: int, length: int | None = None) -> str:
    return b64(value.to_bytes(length or (value.bit_length() + 7) // 8, "big"))


@dataclass
class RsaSigner:
    """Signs RS256."""

    kid: str
    key: rsa.RSAPrivateKey = field(default_factory=lambda: rsa.generate_private_key(65_537, 2048), repr=False)

    def sign(self, claims: Any, **header: Any) -> str:
        """Sign claims; parts of the header may be replaced (None leaves one out)."""
        head = {"alg": "RS256", "typ": "JWT", "kid": self.kid} | header
        signed = f"{segment({k: v for k, v in head.items() if v is not None})}.{segment(claims)}"
        return f"{signed}.{b64(self.key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256()))}"

    @property
    def jwk(self) -> dict[str, Any]:
        numbers = self.key.public_key().public_numbers()
        return {
            "kty": "RSA",
            "kid": self.kid,
            "use": "sig",
            "alg": "RS256",
            "n": _number(numbers.n),
            "e": _number(numbers.e),
        }

    @property
    def public_pem(self) -> bytes:
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        return self.key.public_key().public_bytes(serialization.Encoding.PEM, form)

    @property
    def certificate(self) -> str:
        """A certificate as Google's key server gives it."""
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "issuer under test")])
        made = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(dt.datetime(2020, 1, 1, tzinfo=dt.UTC))
            .not_valid_after(dt.datetime(2099, 1, 1, tzinfo=dt.UTC))
            .sign(self.key, hashes.SHA256())
        )
        return made.public_bytes(serialization.Encoding.PEM).decode()


@dataclass
class EcSigner:
    """Signs ES256."""

    kid: str
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()), repr=False)

    def sign(self, claims: Any, **header: Any) -> str:
        signed = f"{segment({'alg': 'ES256', 'kid': self.kid} | header)}.{segment(claims)}"
        r, s = decode_dss_signature(self.key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
        return f"{signed}.{b64(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"

    @property
    def jwk(self) -> dict[str, Any]:
        numbers = self.key.public_key().public_numbers()
        return {
            "kty": "EC",
            "kid": self.kid,
            "crv": "P-256",
            "x": _number(numbers.x, 32),
            "y": _number(numbers.y, 32),
        }


class MovedClock:
    """The time of day, and the time that passes, as a test says; they begin with the machine's."""

    def __init__(self, now: float) -> None:
        self.now = now
        self.passed = 1_000.0

    def time(self) -> float:
        return self.now

    def monotonic(self) -> float:
        return self.passed

    def advance(self, seconds: float) -> None:
        self.now += seconds
        self.passed += seconds
