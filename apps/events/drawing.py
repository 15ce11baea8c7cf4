"""Display pictures, drawn by Pillow."""

import io

from PIL import Image, ImageDraw, ImageFont

SIZE = 480


def draw_all(holders: list[str], headline: str, background: str, accent: str) -> list[bytes]:
    """Draw a picture for each of some people, as PNG."""
    return [draw(holder, headline, background, accent) for holder in holders]


def draw(holder: str, headline: str, background: str, accent: str) -> bytes:
    """Draw a picture for somebody, as PNG."""
    image = Image.new("RGB", (SIZE, SIZE), background)
    pen = ImageDraw.Draw(image)
    pen.ellipse((SIZE * 0.3, 56, SIZE * 0.7, 56 + SIZE * 0.4), fill=accent)
    initials = "".join(word[0] for word in holder.split()[:2]).upper()
    _write(pen, initials, 56 + SIZE * 0.2, 72, background)
    _write(pen, holder, SIZE * 0.66, 40, "white")
    _write(pen, headline, SIZE * 0.8, 26, accent)
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def _write(pen: ImageDraw.ImageDraw, text: str, middle: float, size: float, colour: str) -> None:
    """Write a line as large as it fits."""
    font = ImageFont.load_default(size)
    if (width := pen.textlength(text, font=font)) > SIZE - 48:
        font = ImageFont.load_default(size * (SIZE - 48) / width)
    pen.text((SIZE / 2, middle), text, fill=colour, font=font, anchor="mm")
