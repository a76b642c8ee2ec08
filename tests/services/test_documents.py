import io
import os
import subprocess
import time
import zipfile
import zlib
from contextlib import suppress
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, PngImagePlugin
from sqlalchemy import delete, select

from data.catalogue import CertificateKind
from data.cities import City
from data.history import AuditEvent
from data.verifications import CaseStatus, Document, DocumentTicket, VerificationCase
from services import documents, pictures, scans, verifications
from services.access import SYSTEM, Actor, Role
from services.documents import DocumentKind
from services.errors import Conflict, Invalid, NotAllowed, NotFound
from services.pictures import PictureKind
from tests.factories import (
    ANALYST,
    DESK,
    DRAFT,
    FAR_OPERATOR,
    LI,
    NANTONG,
    OPERATOR,
    STRANGER,
    ZHAO,
    ZHOU,
    empty_page,
    make_case,
)

SECRET = b"<script>steal()</script>"
LEFT, RIGHT = (200, 20, 20), (20, 20, 200)


def picture(size=(300, 200)):
    """Red on the left, blue on the right."""
    drawn = Image.new("RGB", size, LEFT)
    ImageDraw.Draw(drawn).rectangle((size[0] // 2, 0, *size), RIGHT)
    return drawn


def saved(drawn, form="JPEG", **options):
    written = io.BytesIO()
    drawn.save(written, form, **options)
    return written.getvalue()


def png_of(width, height):
    """A PNG that says it is so large and holds next to nothing."""
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")
        for kind, data in (
            (b"IHDR", width.to_bytes(4, "big") + height.to_bytes(4, "big") + b"\x08\x02\0\0\0"),
            (b"IDAT", zlib.compress(bytes(1000))),
            (b"IEND", b""),
        )
    )


def pdf(*objects, opens=b""):
    """A PDF of these objects, the first of which are its pages."""
    pages = [number for number, one in enumerate(objects, 3) if b"/Page" in one]
    kids = b" ".join(b"%d 0 R" % number for number in pages)
    every = (
        b"<</Type/Catalog/Pages 2 0 R" + opens + b">>",
        b"<</Type/Pages/Count %d/Kids[%s]>>" % (len(pages), kids),
        *objects,
    )
    body = b"".join(b"%d 0 obj %s endobj\n" % (n, one) for n, one in enumerate(every, 1))
    return b"%PDF-1.7\n" + body + b"trailer<</Root 1 0 R>>\n%%EOF"


PAGE = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 200]>>"


def pixels(page):
    with Image.open(io.BytesIO(page.image)) as opened:
        assert (opened.format, opened.size) == ("WEBP", (page.width, page.height))
        assert not {"exif", "icc_profile", "xmp"} & set(opened.info)
        return opened.convert("RGB")


def is_about(colour, wanted):
    return all(abs(one - other) < 40 for one, other in zip(colour, wanted, strict=True))


def drawing():
    """Whether a child of this process still draws."""
    for child in Path("/proc").glob("[0-9]*"):
        with suppress(FileNotFoundError, ProcessLookupError):  # It has just ended.
            parent = (child / "stat").read_text().rpartition(")")[2].split()[1]
            if int(parent) == os.getpid() and b"services.scans" in (child / "cmdline").read_bytes():
                return True
    return False


class TestPages:
    @pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "HEIF", "PDF"])
    def test_every_format_becomes_the_same_picture(self, form):
        [page] = documents.pages_of(saved(picture(), form))
        drawn = pixels(page)

        assert is_about(drawn.getpixel((10, 10)), LEFT)
        assert is_about(drawn.getpixel((page.width - 10, 10)), RIGHT)

    def test_the_longest_side_is_limited(self):
        [page] = documents.pages_of(saved(picture((4400, 1100))))

        assert (page.width, page.height) == (2200, 550)

    def test_it_is_turned_upright_and_tells_no_place(self):
        told = Image.Exif()
        told[0x0112] = 6
        told.get_ifd(0x8825).update({1: "N", 2: (32.0, 1.0, 2.0), 3: "E", 4: (120.0, 5.0, 6.0)})
        told[0x010E] = SECRET.decode()
        [page] = documents.pages_of(saved(picture(), exif=told))
        drawn = pixels(page)

        assert (page.width, page.height) == (200, 300)
        assert is_about(drawn.getpixel((100, 10)), LEFT)
        assert is_about(drawn.getpixel((100, 290)), RIGHT)
        assert SECRET not in page.image

    def test_what_is_see_through_becomes_white(self):
        [page] = documents.pages_of(saved(Image.new("RGBA", (20, 20), (0, 0, 0, 0)), "PNG"))

        assert pixels(page).getpixel((5, 5)) == (255, 255, 255)

    def test_several_pages_of_a_pdf(self):
        assert len(documents.pages_of(pdf(PAGE, PAGE, PAGE))) == 3

    @pytest.mark.parametrize("number", [0, 11])
    def test_none_or_too_many_pages_are_refused(self, number):
        with pytest.raises(Invalid, match=r"document_(too_many_pages|unreadable)"):
            documents.pages_of(pdf(*[PAGE] * number))

    def test_scripts_in_a_pdf_do_not_survive(self):
        script = b"/OpenAction<</S/JavaScript/JS(app.alert\\(1\\);" + SECRET + b")>>"
        [page] = documents.pages_of(pdf(PAGE, opens=script))

        assert (page.width, page.height) == (625, 417)
        assert page.image[:4] == b"RIFF"
        assert SECRET not in page.image

    def test_a_huge_page_of_a_pdf_is_drawn_small(self):
        [page] = documents.pages_of(pdf(PAGE.replace(b"300 200", b"14400 14400")))

        assert page.width <= scans.LONGEST_SIDE

    def test_a_bomb_inside_a_pdf_is_not_drawn(self):
        data = zlib.compress(bytes(12_500_000))
        page = PAGE[:-2] + b"/Resources<</XObject<</I 4 0 R>>>>/Contents 5 0 R>>"
        bomb = (
            b"<</Type/XObject/Subtype/Image/Width 10000/Height 10000/BitsPerComponent 1"
            b"/ColorSpace/DeviceGray/Filter/FlateDecode/Length %d>>stream\n%s\nendstream"
        ) % (len(data), data)
        shown = b"<</Length 27>>stream\n300 0 0 200 0 0 cm /I Do  \nendstream"
        with pytest.raises(Invalid, match="too_many_pixels"):
            documents.pages_of(pdf(page, bomb, shown))

    def test_a_drawing_without_end_is_stopped_in_words(self, monkeypatch):
        lines = zlib.compress(b"0 0 m 300 200 l 300 0 l 5 100 l B\n" * 200_000)
        page = PAGE.replace(b">>", b"/Contents 4 0 R>>")
        stream = b"<</Filter/FlateDecode/Length %d>>stream\n%s\nendstream" % (len(lines), lines)
        monkeypatch.setattr(scans, "LONGEST_SECONDS", 1.5)
        begun = time.monotonic()
        with pytest.raises(Invalid, match="document_too_slow"):
            documents.pages_of(pdf(page, stream))

        assert time.monotonic() - begun < 10
        assert not drawing()  # Nobody goes on drawing.

    def test_what_draws_a_pdf_knows_no_secret(self, monkeypatch):
        run = subprocess.run
        seen = {}
        monkeypatch.setattr(
            scans.subprocess, "run", lambda *what, **how: seen.update(how) or run(*what, **how)
        )
        documents.pages_of(pdf(PAGE))

        assert seen["env"] == {}
        assert seen["timeout"] == scans.LONGEST_SECONDS

    def test_a_drawing_that_breaks_its_process_is_refused(self, monkeypatch):
        monkeypatch.setattr(scans.sys, "executable", "/bin/false")
        with pytest.raises(Invalid, match="document_unreadable"):
            documents.pages_of(pdf(PAGE))

    @pytest.mark.parametrize("side", [6400, 10_000, 30_000, 1_000_000])
    def test_too_many_pixels_are_refused_before_they_are_decoded(self, side):
        with pytest.raises(Invalid, match="too_many_pixels"):
            documents.pages_of(png_of(side, side))

    def test_metadata_that_unpacks_to_a_bomb_is_refused(self):
        text = PngImagePlugin.PngInfo()
        text.add_text("bomb", "0" * 40_000_000, zip=True)
        with pytest.raises(Invalid, match="document_unreadable"):
            documents.pages_of(saved(picture(), "PNG", pnginfo=text))

    @pytest.mark.parametrize("form", ["JPEG", "PNG"])
    def test_what_hangs_on_a_picture_is_left_behind(self, form):
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as packed:
            packed.writestr("evil.html", SECRET)
        given = saved(picture(), form, icc_profile=SECRET * 9) + archive.getvalue() + SECRET
        [page] = documents.pages_of(given)
        pixels(page)

        assert SECRET not in page.image
        assert not zipfile.is_zipfile(io.BytesIO(page.image))

    @pytest.mark.parametrize(
        "given",
        [
            b"",
            b"#!/bin/sh\nrm -rf /",
            b"<svg xmlns='http://www.w3.org/2000/svg'><script>x()</script></svg>",
            b"<html>" + SECRET,
            b"%PDF-1.7 and nothing else",
            saved(picture())[:500],
            saved(picture(), "PNG")[:300],
            saved(picture(), "GIF"),
            saved(picture(), "BMP"),
            saved(picture(), "TIFF"),
            b"PK\x03\x04" + bytes(100),
            png_of(40, 40),
        ],
    )
    def test_what_is_no_picture_is_refused(self, given):
        with pytest.raises(Invalid, match="document_unreadable"):
            documents.pages_of(given)

    def test_what_is_too_big_is_not_even_looked_at(self):
        with pytest.raises(Invalid, match="document_too_big"):
            documents.pages_of(bytes(scans.MOST_BYTES + 1))

    def test_who_looks_is_written_across_it(self):
        marked = scans.marked(empty_page().image, "CarePilot operator 7")
        wide = scans.marked(documents.pages_of(saved(picture()))[0].image, "operator 7")

        with Image.open(io.BytesIO(wide)) as opened:
            assert opened.size == (300, 200)
            assert len(opened.getcolors(100_000)) > 50
        assert marked != empty_page().image


def pages_of_case(session, case_id):
    return documents.of_case(session, case_id)


@pytest.fixture
def draft_id(session):
    """The case that DRAFT has not handed in yet."""
    return session.scalars(
        select(VerificationCase.id).where(VerificationCase.account_id == DRAFT.id)
    ).one()


class TestHandingIn:
    def attach(self, session, case_id, kind, count=1, certificate=None, actor=DRAFT):
        documents.attach(session, actor, case_id, kind, [empty_page()] * count, certificate)

    def test_a_side_of_the_card_takes_the_place_of_the_one_before(self, session, draft_id):
        before = {one.id for one in pages_of_case(session, draft_id)}
        self.attach(session, draft_id, DocumentKind.ID_FRONT)
        after = pages_of_case(session, draft_id)

        assert len(after) == len(before)
        assert [one.kind for one in after if one.id not in before] == [DocumentKind.ID_FRONT]

    def test_other_documents_have_several_pages(self, session, draft_id):
        self.attach(session, draft_id, DocumentKind.HEALTH_REPORT, 9)

        report = DocumentKind.HEALTH_REPORT
        numbers = [one.page for one in pages_of_case(session, draft_id) if one.kind is report]
        assert numbers == list(range(1, 11))
        with pytest.raises(Invalid, match="too_many_pages"):
            self.attach(session, draft_id, DocumentKind.HEALTH_REPORT)

    @pytest.mark.parametrize(
        ("kind", "count", "certificate", "key"),
        [
            (DocumentKind.PORTRAIT, 2, None, "document_one_page"),
            (DocumentKind.PORTRAIT, 0, None, "document_unreadable"),
            (DocumentKind.CERTIFICATE, 1, None, "document_not_asked"),
            (DocumentKind.CERTIFICATE, 1, CertificateKind.HEALTH, "document_not_asked"),
            (DocumentKind.ID_BACK, 1, CertificateKind.NURSING, "document_not_asked"),
        ],
    )
    def test_what_was_not_asked_for_is_refused(
        self, session, draft_id, kind, count, certificate, key
    ):
        with pytest.raises(Invalid, match=key):
            self.attach(session, draft_id, kind, count, certificate)

    def test_a_family_shows_no_portrait(self, session):
        session.execute(delete(VerificationCase).where(VerificationCase.account_id == ZHOU.id))
        case_id = make_case(session, ZHOU, CaseStatus.DRAFT)
        with pytest.raises(Invalid, match="document_not_asked"):
            self.attach(session, case_id, DocumentKind.PORTRAIT, actor=ZHOU)

    def test_nobody_touches_anothers(self, session, draft_id):
        [first, *_] = pages_of_case(session, draft_id)
        with pytest.raises(NotFound, match="document_not_found"):
            self.attach(session, draft_id, DocumentKind.ID_FRONT, actor=LI)
        with pytest.raises(NotFound, match="document_not_found"):
            documents.remove(session, LI, first.id)
        documents.remove(session, DRAFT, first.id)
        assert first.id not in {one.id for one in pages_of_case(session, draft_id)}

    def test_what_is_handed_in_stays_as_it_is(self, session, draft_id):
        verifications.submit(session, DRAFT, draft_id)
        [first, *_] = pages_of_case(session, draft_id)
        with pytest.raises(Conflict, match="case_not_draft"):
            self.attach(session, draft_id, DocumentKind.ID_FRONT)
        with pytest.raises(Conflict, match="case_not_draft"):
            documents.remove(session, DRAFT, first.id)

    def test_the_bytes_are_sealed_and_bound_to_their_row(self, session, draft_id):
        self.attach(session, draft_id, DocumentKind.HEALTH_REPORT)
        rows = session.scalars(select(Document).where(Document.case_id == draft_id)).all()

        assert all(row.content == empty_page().image for row in rows)
        assert all(empty_page().image not in row.content_sealed for row in rows)
        assert len({row.content_sealed for row in rows}) == len(rows)


def opened(session, actor, document_id, purpose):
    """Whether this person gets to see this document for this purpose."""
    with suppress(NotFound, NotAllowed):
        ticket = pictures.ticket(session, actor, PictureKind.DOCUMENT, document_id, purpose)
        session.flush()
        return pictures.take(session, actor, ticket)[:4] == b"RIFF"
    return False


def first_page(session, case_id):
    return pages_of_case(session, case_id)[0].id


class TestWhoSees:
    @pytest.fixture
    def pages(self, session, draft_id):
        """A page of a family's approved case, of one under review, of one not handed in yet."""
        cases = {
            "zhou": make_case(session, ZHOU, CaseStatus.EXPIRED, with_documents=True),
            "li": make_case(session, LI, CaseStatus.EXPIRED, with_documents=True),
            "stranger": make_case(session, STRANGER, CaseStatus.SUBMITTED, with_documents=True),
            "draft": draft_id,
        }
        verifications.take(session, OPERATOR, cases["stranger"])
        session.flush()
        return {name: first_page(session, case_id) for name, case_id in cases.items()}

    def test_the_matrix(self, session, pages):
        everybody = {
            "zhou": ZHOU, "stranger": STRANGER, "li": LI, "draft": DRAFT, "zhao": ZHAO,
            "desk": DESK, "operator": OPERATOR, "far_operator": FAR_OPERATOR, "analyst": ANALYST,
        }  # fmt: skip
        saw = {
            (who, page, purpose)
            for who, actor in everybody.items()
            for page, document_id in pages.items()
            for purpose in (*documents.PURPOSES, "", "curiosity")
            if opened(session, actor, document_id, purpose)
        }

        assert saw == {
            *((owner, owner, "own") for owner in pages),
            *(("operator", page, "complaint") for page in pages if page != "draft"),
            ("operator", "stranger", "review"),
        }

    def test_not_theirs_and_not_there_is_the_same_refusal(self, session, pages):
        for actor in (STRANGER, ZHAO, OPERATOR, FAR_OPERATOR):
            for document_id in (pages["draft"], 10**9):
                with pytest.raises(NotFound) as refused:
                    pictures.ticket(session, actor, PictureKind.DOCUMENT, document_id, "complaint")
                assert (refused.value.key, refused.value.values) == (
                    "error.document_not_found",
                    {},
                )

    def test_an_operator_does_not_look_at_their_own_as_one(self, session, pages):
        both = Actor(ZHOU.id, Role.OPERATOR, frozenset({NANTONG}))

        assert not opened(session, both, pages["zhou"], "complaint")
        assert opened(session, both, pages["zhou"], "own")

    def test_a_ticket_is_good_once(self, session, pages):
        ticket = pictures.ticket(session, ZHOU, PictureKind.DOCUMENT, pages["zhou"], "own")
        session.flush()
        pictures.take(session, ZHOU, ticket)
        with pytest.raises(NotFound, match="document_not_found"):
            pictures.take(session, ZHOU, ticket)

    def test_a_ticket_is_good_for_a_minute(self, session, pages, clock):
        ticket = pictures.ticket(session, ZHOU, PictureKind.DOCUMENT, pages["zhou"], "own")
        session.flush()
        clock.move(minutes=1)
        with pytest.raises(NotFound, match="document_not_found"):
            pictures.take(session, ZHOU, ticket)

    @pytest.mark.parametrize("thief", [STRANGER, OPERATOR])
    def test_a_ticket_is_good_for_whom_it_was_made(self, session, pages, thief):
        ticket = pictures.ticket(session, ZHOU, PictureKind.DOCUMENT, pages["zhou"], "own")
        session.flush()
        with pytest.raises(NotFound, match="document_not_found"):
            pictures.take(session, thief, ticket)
        assert pictures.take(session, ZHOU, ticket)

    def test_a_ticket_does_not_outlive_the_right_to_look(self, session, pages):
        ticket = pictures.ticket(
            session, OPERATOR, PictureKind.DOCUMENT, pages["stranger"], "review"
        )
        session.flush()
        moved = Actor(OPERATOR.id, Role.OPERATOR, frozenset({"510500"}))
        with pytest.raises(NotFound, match="document_not_found"):
            pictures.take(session, moved, ticket)

    @pytest.mark.parametrize("made_up", ["", "x" * 43, "👵🏽", "a" * 5000])
    def test_made_up_tickets_open_nothing(self, session, made_up):
        with pytest.raises(NotFound, match="document_not_found"):
            pictures.take(session, OPERATOR, made_up)

    def test_the_ticket_itself_is_not_stored(self, session, pages):
        ticket = pictures.ticket(session, ZHOU, PictureKind.DOCUMENT, pages["zhou"], "own")
        session.flush()
        [row] = session.scalars(select(DocumentTicket))
        assert ticket not in str(vars(row))

    def test_every_look_is_kept_and_the_owner_sees_who_looked(self, session, pages, clock):
        opened(session, STRANGER, pages["stranger"], "own")
        clock.move(minutes=5)
        opened(session, OPERATOR, pages["stranger"], "review")
        session.flush()

        looks = select(AuditEvent).where(AuditEvent.action == "open_document")
        last = session.scalars(looks.order_by(AuditEvent.id.desc())).first()
        assert (last.subject, last.subject_id, last.actor_id) == (
            "document",
            pages["stranger"],
            OPERATOR.id,
        )
        assert last.detail == {"purpose": "review", "owner_id": STRANGER.id}
        seen = documents.openings(session, STRANGER, 10)
        assert [(one.role, one.purpose, one.is_me) for one in seen] == [
            (Role.OPERATOR, "review", False),
            (Role.CUSTOMER, "own", True),
        ]
        assert seen[0].at == clock.moment
        assert documents.openings(session, STRANGER, 1) == seen[:1]
        assert documents.openings(session, ZHOU, 10) == []


class TestShredding:
    def shred(self, session):
        session.flush()
        return pictures.shred_due(session, SYSTEM)

    @pytest.mark.parametrize(
        ("status", "days"),
        [(CaseStatus.REJECTED, 90), (CaseStatus.APPROVED, 1095), (CaseStatus.EXPIRED, 1095)],
    )
    def test_each_goes_when_its_time_is_over_and_only_once(self, session, clock, status, days):
        session.execute(delete(Document))
        session.execute(delete(VerificationCase))
        case_id = make_case(session, ZHOU, status, with_documents=True)
        clock.move(days=days)
        assert self.shred(session) == 0
        clock.move(minutes=1)
        assert self.shred(session) == 2
        assert self.shred(session) == 0

        rows = session.scalars(select(Document).where(Document.case_id == case_id)).all()
        assert [row.content_sealed for row in rows] == [None, None]
        assert all(row.shredded_at == clock.moment for row in rows)
        events = session.scalars(select(AuditEvent)).all()
        assert {(one.action, one.subject_id) for one in events} == {
            ("shred_document", row.id) for row in rows
        }
        assert len(events) == len(rows)
        assert all(one.shredded for one in pages_of_case(session, case_id))
        assert not opened(session, ZHOU, rows[0].id, "own")

    def test_a_city_keeps_them_as_long_as_it_says(self, session, clock):
        session.execute(delete(Document))
        make_case(session, STRANGER, CaseStatus.REJECTED, with_documents=True, city_code="510500")
        for city in session.scalars(select(City)):
            city.rejected_document_days = 5 if city.code == NANTONG else 60
        clock.move(days=59)
        assert self.shred(session) == 0
        clock.move(days=2)
        assert self.shred(session) == 2

    def test_a_draft_that_was_never_handed_in_goes_after_a_month(self, session, clock, draft_id):
        count = len(pages_of_case(session, draft_id))
        clock.move(days=29)
        documents.attach(session, DRAFT, draft_id, DocumentKind.PORTRAIT, [empty_page()])
        clock.move(days=1, minutes=1)

        assert self.shred(session) == count - 1
        missing = verifications.mine(session, DRAFT, verifications.CaseKind.CAREGIVER).missing
        assert (DocumentKind.PORTRAIT, None) not in missing
        assert len(missing) == count - 1

    def test_what_waits_for_review_stays(self, session, clock, draft_id):
        verifications.submit(session, DRAFT, draft_id)
        clock.move(days=4000)
        session.flush()

        assert self.shred(session) == 0

    def test_old_tickets_are_swept_away(self, session, clock, draft_id):
        pictures.ticket(session, DRAFT, PictureKind.DOCUMENT, first_page(session, draft_id), "own")
        session.flush()
        clock.move(days=2)
        self.shred(session)

        assert session.scalars(select(DocumentTicket)).all() == []
