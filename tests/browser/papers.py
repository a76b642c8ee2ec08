"""What people photograph to show who they are; nobody has such a number."""

import io
from datetime import date

from PIL import Image, ImageDraw
from playwright.sync_api import FilePayload

from services import resident_ids


def id_number(born: date) -> str:
    """The number of a woman born that day; no area begins with 99."""
    first_17 = f"990613{born:%Y%m%d}482"
    return first_17 + resident_ids.check_digit(first_17)


def photo(words: str) -> FilePayload:
    """What a telephone's camera would hand over."""
    image = Image.new("RGB", (900, 570), "#dfe8ee")
    ImageDraw.Draw(image).text((60, 60), "SPECIMEN", fill="#203040", font_size=60)
    written = io.BytesIO()
    image.save(written, "JPEG")
    return {"name": f"{words}.jpg", "mimeType": "image/jpeg", "buffer": written.getvalue()}
