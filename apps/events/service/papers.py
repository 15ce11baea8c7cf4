"""What people carry: passes and badges, as PNG and PDF."""

import io
from datetime import UTC, datetime

import segno
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
