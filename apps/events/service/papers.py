"""What people carry: passes and badges, as PNG and PDF, and passes for Apple Wallet."""

import hashlib
import io
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self
from zipfile import ZIP_DEFLATED, ZipFile

import segno
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.hazmat.primitives.serialization.pkcs7 import PKCS7Options, PKCS7SignatureBuilder
from cryptography.x509 import Certificate, ObjectIdentifier, load_pem_x509_certificate
from cryptography.x509.oid import NameOID
from fpdf import FPDF
from PIL import Image, ImageDraw, ImageFont
from pydantic import BaseModel, Field

WIDTH, HEIGHT = 600, 900
INK, PAPER, ACCENT = "#0f172a", "#ffffff", "#f59e0b"


class Paper(BaseModel):
    """What is printed."""

    code: str
    holder: str
    title: str
    venue: str
    starts_at: int = Field(alias="startsAt")


def png(paper: Paper, *, badge: bool) -> bytes:
    """Draw a badge (the name large) or a pass (the code large)."""
    image = Image.new("RGB", (WIDTH, HEIGHT), PAPER)
    pen = ImageDraw.Draw(image)
    pen.rectangle((0, 0, WIDTH, 150), fill=INK)
    _line(pen, paper.title, 75, 48, ACCENT)
    when = datetime.fromtimestamp(paper.starts_at / 1000, UTC)
    _line(pen, f"{paper.venue}, {when:%d %B %Y, %H:%M} UTC", 200, 26, INK)
    _line(pen, paper.holder, 350 if badge else 280, 84 if badge else 44, INK)
    code = _code(paper.code, 300 if badge else 460)
    image.paste(code, ((WIDTH - code.width) // 2, 480 if badge else 350))
    _line(pen, paper.code, 860, 22, INK)
    return _bytes(image)


def pdf(paper: Paper, *, badge: bool) -> bytes:
    """Give the same as a document of one page."""
    document = FPDF(unit="mm", format=(80, 120))
    document.set_title(paper.title)
    document.add_page()
    document.image(io.BytesIO(png(paper, badge=badge)), 0, 0, 80, 120, alt_text=f"{paper.holder}: {paper.code}")
    return bytes(document.output())


def _code(text: str, size: int) -> Image.Image:
    out = io.BytesIO()
    segno.make(text, error="m", micro=False).save(out, kind="png", scale=10, border=2)
    return Image.open(out).convert("RGB").resize((size, size), Image.Resampling.NEAREST)


def _line(pen: ImageDraw.ImageDraw, text: str, middle: float, size: float, colour: str) -> None:
    width = pen.textlength(text, font=ImageFont.load_default(size))
    font = ImageFont.load_default(size * min(1, (WIDTH - 60) / max(width, 1)))
    pen.text((WIDTH / 2, middle), text, fill=colour, font=font, anchor="mm")


def _bytes(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


# --- for Apple Wallet, as https://developer.apple.com/documentation/walletpasses/building-a-pass says


_NAMED = PASS_TYPE, TEAM, ORGANIZATION = NameOID.USER_ID, NameOID.ORGANIZATIONAL_UNIT_NAME, NameOID.ORGANIZATION_NAME


@dataclass(frozen=True)
class WalletSigner:
    """Signs passes with what Apple has issued for a pass type: the certificate's subject names that, and the team."""

    certificate: Certificate
    key: RSAPrivateKey | EllipticCurvePrivateKey
    intermediate: Certificate

    @classmethod
    def load(cls, certificate: Path, key: Path, intermediate: Path) -> Self:
        """Read PEM files; ``intermediate`` is the certificate by which Apple has signed the other one.

        Raises:
            ValueError: They are something else, or do not belong together.
        """
        own, issuer = (load_pem_x509_certificate(each.read_bytes()) for each in (certificate, intermediate))
        private = load_pem_private_key(key.read_bytes(), None)
        try:
            own.verify_directly_issued_by(issuer)
        except (InvalidSignature, TypeError) as error:
            raise ValueError(f"{certificate} is not signed by {intermediate}") from error
        if not isinstance(private, RSAPrivateKey | EllipticCurvePrivateKey) or own.public_key() != private.public_key():
            raise ValueError(f"{key} is not the key of {certificate}")
        if not all(map(own.subject.get_attributes_for_oid, _NAMED)):
            raise ValueError(f"{certificate} names no pass type, team and organization")
        return cls(own, private, issuer)

    def named(self, name: ObjectIdentifier) -> str:
        """Give what the certificate's subject says."""
        return str(self.certificate.subject.get_attributes_for_oid(name)[0].value)

    def sign(self, content: bytes) -> bytes:
        """Give a detached PKCS #7 signature, with the certificates and the time."""
        signed = PKCS7SignatureBuilder().set_data(content).add_signer(self.certificate, self.key, SHA256())
        signed = signed.add_certificate(self.intermediate)
        return signed.sign(Encoding.DER, [PKCS7Options.DetachedSignature, PKCS7Options.Binary])


def pkpass(paper: Paper, signer: WalletSigner) -> bytes:
    """Give a pass for Apple Wallet: what is on it, its icons, their SHA-1 digests, and the signature of these."""
    files = {"pass.json": json.dumps(_wallet(paper, signer)).encode()}
    for name, size in (("icon.png", 29), ("icon@2x.png", 58), ("icon@3x.png", 87)):
        files[name] = _bytes(Image.new("RGB", (size, size), ACCENT))
    digests = {name: hashlib.sha1(content, usedforsecurity=False).hexdigest() for name, content in files.items()}
    files["manifest.json"] = json.dumps(digests).encode()
    files["signature"] = signer.sign(files["manifest.json"])
    out = io.BytesIO()
    with ZipFile(out, "w", ZIP_DEFLATED) as bundle:
        for name, content in files.items():
            bundle.writestr(name, content)
    return out.getvalue()


def _wallet(paper: Paper, signer: WalletSigner) -> dict[str, Any]:
    begins = datetime.fromtimestamp(paper.starts_at // 1000, UTC).isoformat()
    shown = {"dateStyle": "PKDateStyleMedium", "timeStyle": "PKDateStyleShort"}
    return {
        "formatVersion": 1,
        "passTypeIdentifier": signer.named(PASS_TYPE),
        "teamIdentifier": signer.named(TEAM),
        "organizationName": signer.named(ORGANIZATION),
        "serialNumber": paper.code,
        "description": f"{paper.title}: {paper.holder}",
        "relevantDate": begins,
        "foregroundColor": "rgb(255, 255, 255)",
        "backgroundColor": "rgb(15, 23, 42)",
        "barcodes": [{"format": "PKBarcodeFormatQR", "message": paper.code, "messageEncoding": "iso-8859-1"}],
        "eventTicket": {
            "primaryFields": [{"key": "event", "label": paper.venue, "value": paper.title}],
            "secondaryFields": [{"key": "holder", "label": "For", "value": paper.holder}],
            "auxiliaryFields": [{"key": "begins", "label": "Begins", "value": begins, **shown}],
        },
    }
