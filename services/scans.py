"""Pictures of papers: read from whatever is handed in, made anew, and marked for who looks.

Decoded and encoded again, so that only the picture is kept: no place, no device, no script. A PDF
is drawn by a process of its own (`python -m services.scans`): it can be stopped, and knows no key.
"""

import io
import json
import resource
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from math import hypot, prod
from pathlib import Path
from threading import BoundedSemaphore
from typing import Any

import pillow_heif
import pypdfium2
from PIL import Image, ImageDraw, ImageFont, ImageOps

from services.errors import Invalid

MOST_BYTES = 12 * 1024 * 1024
MOST_PIXELS = 40_000_000
MOST_PAGES = 10
LONGEST_SIDE = 2200
FORMATS = ("JPEG", "PNG", "WEBP", "HEIF")
PDF_POINTS, PDF_DOTS = 72, 150
# What the drawing of one PDF may take.
LONGEST_SECONDS, MOST_MEMORY = 15.0, 2 * 1024**3

pillow_heif.register_heif_opener()
_ROOT = Path(__file__).resolve().parent.parent
_TWO_PDFS_AT_A_TIME = BoundedSemaphore(2)


@dataclass(frozen=True, slots=True)
class Page:
    """One page as WebP, upright, its longest side at most 2200 pixels."""

    image: bytes
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Picture:
    """A kept picture, and whose it is; who is at home with it sees it unmarked and unrecorded."""

    image: bytes
    owner_id: int
    at_home: bool = False


def pages_of(given: bytes) -> list[Page]:
    """The pages of a JPEG, PNG, WebP, HEIC or PDF, whatever its name; slow, so in no transaction.

    A resolution of 150 dots per inch for a PDF; its scripts and forms are never begun.
    """
    if not given:
        raise Invalid("error.document_unreadable")
    if len(given) > MOST_BYTES:
        raise Invalid("error.document_too_big", megabytes=MOST_BYTES // 1024 // 1024)
    try:
        return _pdf_pages(given) if given.startswith(b"%PDF-") else [_picture(given)]
    except Invalid:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise _too_many_pixels() from None
    except Exception:  # Decoders raise whatever the bytes drive them to.
        raise Invalid("error.document_unreadable") from None


def photo_of(given: bytes) -> Page:
    """The one picture of a JPEG, PNG, WebP or HEIC; slow, so in no transaction."""
    if given.startswith(b"%PDF-"):
        raise Invalid("error.photo_is_pdf")
    try:
        [page] = pages_of(given)
    except Invalid as refused:
        unreadable = refused.key == "error.document_unreadable"
        raise (Invalid("error.photo_unreadable") if unreadable else refused) from None
    return page


def too_many_pages() -> Invalid:
    """The refusal of more pages than anybody looks through."""
    return Invalid("error.document_too_many_pages", most=MOST_PAGES)


def marked(image: bytes, words: str) -> bytes:
    """The picture with latin words across it, again and again, see-through, on light and dark.

    Without words it is the picture as it was.
    """
    if not words:
        return image
    with Image.open(io.BytesIO(image), formats=("WEBP",)) as opened:
        picture = opened.convert("RGB")
    size = max(14, max(picture.size) // 50)
    font = ImageFont.load_default(size)
    wide = int(font.getlength(words)) + 4 * size
    across = int(hypot(*picture.size)) + wide
    veil = Image.new("L", (across, across))
    pen = ImageDraw.Draw(veil)
    for line, top in enumerate(range(0, across, 7 * size)):
        for left in range(-(line % 2) * wide // 2, across, wide):
            pen.text((left, top), words, 110, font)
    veil = veil.rotate(30, Image.Resampling.BILINEAR)
    left, top = (across - picture.width) // 2, (across - picture.height) // 2
    for shift, ink in ((2, "white"), (0, "maroon")):
        corner = (left - shift, top - shift)
        over = veil.crop((*corner, corner[0] + picture.width, corner[1] + picture.height))
        picture.paste(ink, (0, 0, *picture.size), over)
    return _encoded(picture)


def _picture(given: bytes) -> Page:
    with Image.open(io.BytesIO(given), formats=FORMATS) as opened:
        _check_pixels(opened.width * opened.height)
        opened.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
        return _page(ImageOps.exif_transpose(opened))


def _pdf_pages(given: bytes) -> list[Page]:
    """Drawn by another process, which says first how many bytes each page has, or why none."""
    with _TWO_PDFS_AT_A_TIME:
        try:
            drawn = subprocess.run(
                [sys.executable, "-m", "services.scans"],
                input=given,
                capture_output=True,
                cwd=_ROOT,
                env={},
                timeout=LONGEST_SECONDS,
            )
        except subprocess.TimeoutExpired:
            raise Invalid("error.document_too_slow") from None
    drawn.check_returncode()
    said, _, images = drawn.stdout.partition(b"\n")
    told: dict[str, Any] = json.loads(said)
    if refusal := told.get("refusal"):
        raise Invalid(refusal, **told["values"])
    left = io.BytesIO(images)
    return [Page(left.read(size), width, height) for size, width, height in told["pages"]]


def _draw_pdf() -> None:
    """What the other process does: a PDF comes in, a line about its pages goes out, then they."""
    with suppress(ValueError):  # Not every system knows this limit.
        resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    try:
        with pypdfium2.PdfDocument(sys.stdin.buffer.read()) as opened:
            if not 1 <= len(opened) <= MOST_PAGES:
                raise too_many_pages()
            pages = [_pdf_page(page) for page in opened]
        told = {"pages": [(len(page.image), page.width, page.height) for page in pages]}
    except Invalid as refused:
        pages, told = [], {"refusal": refused.key, "values": refused.values}
    sys.stdout.buffer.write(json.dumps(told).encode() + b"\n")
    sys.stdout.buffer.writelines(page.image for page in pages)


def _pdf_page(page: pypdfium2.PdfPage) -> Page:
    pictures = [one for one in page.get_objects() if isinstance(one, pypdfium2.PdfImage)]
    _check_pixels(sum(prod(one.get_px_size()) for one in pictures))
    scale = min(PDF_DOTS / PDF_POINTS, LONGEST_SIDE / max(page.get_size()))
    # Any number will do as scale, whatever its type says.
    drawn = page.render(scale=scale, may_draw_forms=False).to_pil()  # pyright: ignore[reportArgumentType]
    drawn.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    return _page(drawn)


def _page(picture: Image.Image) -> Page:
    """Copied onto an empty sheet: nothing that came beside the pixels comes along."""
    sheet = Image.new("RGB", picture.size, "white")
    drawn = picture.convert("RGBA")
    sheet.paste(drawn, mask=drawn.getchannel("A"))
    return Page(_encoded(sheet), *sheet.size)


def _encoded(picture: Image.Image) -> bytes:
    written = io.BytesIO()
    picture.save(written, "WEBP", quality=80, method=2)
    return written.getvalue()


def _check_pixels(count: int) -> None:
    if count > MOST_PIXELS:
        raise _too_many_pixels()


def _too_many_pixels() -> Invalid:
    return Invalid("error.document_too_many_pixels", millions=MOST_PIXELS // 1_000_000)


if __name__ == "__main__":
    _draw_pdf()
