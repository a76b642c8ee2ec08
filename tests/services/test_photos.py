"""Portraits: any picture becomes a small square one without anything hidden in it."""

import io

import pytest
from PIL import Image

from services import photos
from services.errors import Invalid, NotFound
from tests.factories import LI, ZHAO, ZHOU


def picture(size=(800, 600), kind="JPEG", **options):
    drawn = io.BytesIO()
    Image.new("RGB", size, "teal").save(drawn, kind, **options)
    return drawn.getvalue()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_picture_becomes_a_small_square(session, kind):
    photos.save(session, LI, picture(kind=kind))
    session.flush()
    [kept] = photos.of(session, ZHOU, [LI.id, ZHAO.id]).values()
    with Image.open(io.BytesIO(kept)) as shown:
        assert (shown.size, shown.format) == ((192, 192), "WEBP")


def test_where_it_was_taken_is_not_kept(session):
    exif = Image.Exif()
    exif[0x8825] = {1: "N", 2: (32.0, 1.0, 0.0)}
    photos.save(session, LI, picture(exif=exif))
    session.flush()
    with Image.open(io.BytesIO(photos.of(session, LI, [LI.id])[LI.id])) as shown:
        assert not shown.getexif()


def test_a_new_one_replaces_and_can_be_removed(session):
    photos.save(session, LI, picture())
    photos.save(session, LI, picture((300, 900)))
    session.flush()
    assert len(photos.of(session, LI, [LI.id])) == 1
    photos.remove(session, LI)
    session.flush()
    assert photos.of(session, LI, [LI.id]) == {}


@pytest.mark.parametrize(
    "given",
    [b"", b"<script>alert(1)</script>", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"%PDF-1.7"],
)
def test_what_is_no_picture_is_refused(session, given):
    with pytest.raises(Invalid, match="photo_unreadable"):
        photos.save(session, LI, given)


def test_a_truncated_picture_is_refused(session):
    with pytest.raises(Invalid, match="photo_unreadable"):
        photos.save(session, LI, picture()[:400])


def test_too_many_bytes_or_pixels_are_refused(session):
    with pytest.raises(Invalid, match="photo_too_big"):
        photos.save(session, LI, b"x" * (photos.MOST_BYTES + 1))
    with pytest.raises(Invalid, match="photo_too_big"):
        photos.save(session, LI, picture((9000, 5000), "PNG"))


def test_without_a_profile_there_is_nothing_to_show_it_on(session):
    with pytest.raises(NotFound, match="profile_first"):
        photos.save(session, replace_role(ZHOU), picture())


def replace_role(actor):
    return type(actor)(actor.id, LI.role)
