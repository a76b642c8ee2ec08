"""Portraits: small square images that families see on caregivers' cards and profiles.

Decoded and encoded anew, so that nothing but the picture is kept: no place, no device, no script.
"""

import io
from collections.abc import Sequence

from PIL import Image, ImageOps, UnidentifiedImageError
from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from data.caregivers import Caregiver, Photo
from services.access import Actor, Permission
from services.errors import Invalid, NotFound

SIDE_PIXELS = 192
MOST_BYTES = 8 * 1024 * 1024
MOST_PIXELS = 40_000_000
FORMATS = ("JPEG", "PNG", "WEBP")


def save(session: Session, actor: Actor, given: bytes) -> None:
    """Keep a picture as the actor's own portrait: its middle, cut square."""
    actor.require(Permission.KEEP_CAREGIVER_PROFILE)
    if session.get(Caregiver, actor.id) is None:
        raise NotFound("error.profile_first")
    store(session, actor.id or 0, portrait(given))


def remove(session: Session, actor: Actor) -> None:
    """Take the actor's own portrait away."""
    actor.require(Permission.KEEP_CAREGIVER_PROFILE)
    if (kept := session.get(Photo, actor.id)) is not None:
        session.delete(kept)


def of(session: Session, actor: Actor, caregiver_ids: Sequence[int]) -> dict[int, bytes]:
    """The portraits of several caregivers, WebP, by caregiver; who has none is left out."""
    actor.require(Permission.SEE_CAREGIVERS)
    return dict(session.execute(_OF, {"ids": caregiver_ids}).all())


_OF = select(Photo.caregiver_id, Photo.image).where(
    Photo.caregiver_id.in_(bindparam("ids", expanding=True))
)


def store(session: Session, caregiver_id: int, image: bytes) -> None:
    """Put a finished portrait in the place of the one before."""
    kept = session.get(Photo, caregiver_id)
    if kept is None:
        session.add(Photo(caregiver_id=caregiver_id, image=image))
    else:
        kept.image = image


def portrait(given: bytes) -> bytes:
    """The middle of a picture as a small square WebP, upright and without metadata."""
    if len(given) > MOST_BYTES:
        raise Invalid("error.photo_too_big", megabytes=MOST_BYTES // 1024 // 1024)
    try:
        with Image.open(io.BytesIO(given), formats=FORMATS) as opened:
            if opened.width * opened.height > MOST_PIXELS:
                raise Invalid("error.photo_too_big", megabytes=MOST_BYTES // 1024 // 1024)
            upright = ImageOps.exif_transpose(opened).convert("RGB")
    except (UnidentifiedImageError, OSError, SyntaxError, Image.DecompressionBombError):
        raise Invalid("error.photo_unreadable") from None
    return encoded(ImageOps.fit(upright, (SIDE_PIXELS, SIDE_PIXELS)))


def encoded(image: Image.Image) -> bytes:
    """The picture as WebP."""
    written = io.BytesIO()
    image.save(written, "WEBP", quality=80)
    return written.getvalue()
