"""QR codes, drawn inside the page."""

import io

import segno


def image(words: str) -> str:
    """A QR image (ISO/IEC 18004) as an SVG string, dark on white in either theme.

    An SVG string travels inside the page; any other image would lie open at /media.
    """
    drawn = io.BytesIO()
    segno.make(words, error="m").save(
        drawn, kind="svg", xmldecl=False, scale=8, border=3, dark="#0c161c", light="#ffffff"
    )
    return drawn.getvalue().decode()
