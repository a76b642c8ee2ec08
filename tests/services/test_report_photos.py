import io
from contextlib import suppress
from datetime import timedelta

import pytest
from PIL import Image
from sqlalchemy import select, update

from data import sealing
from data.cities import City
from data.history import AuditEvent
from data.orders import ReportPhoto
from services import (
    audit,
    complaints,
    consents,
    erasure,
    incidents,
    keys,
    pictures,
    redemption,
    report_photos,
    scans,
)
from services.access import SYSTEM, Actor, Role
from services.complaints import ComplaintCategory
from services.consents import Policy
from services.errors import Conflict, Invalid, NotAllowed, NotFound
from services.incidents import IncidentKind
from services.pictures import PictureKind
from tests.factories import (
    ANALYST,
    DESK,
    FAR_OPERATOR,
    LI,
    NANTONG,
    NASTY,
    NOBODY_ID,
    OPERATOR,
    STRANGER,
    ZHAO,
    ZHOU,
    code_of,
    empty_page,
    make_finished_visit,
    make_redeemed_visit,
    make_visit,
)
from tests.services.test_documents import png_of, saved

EVERYBODY = ZHOU, STRANGER, LI, ZHAO, DESK, OPERATOR, FAR_OPERATOR, ANALYST


@pytest.fixture
def visit_id(session):
    """A visit that waits for its code, with two photos in its report."""
    made = make_finished_visit(session)
    report_photos.add(session, LI, made, [empty_page(), empty_page()])
    session.flush()
    return made


def photo_ids(session, visit_id):
    its = select(ReportPhoto.id).where(ReportPhoto.visit_id == visit_id)
    return session.scalars(its.order_by(ReportPhoto.number)).all()


def redeem(session, visit_id):
    assert redemption.redeem(session, ZHOU, visit_id, code_of(session, visit_id)) is None
    session.flush()


def who_opens(session, photo_id, *purposes):
    """Who gets to see a photo, and for what."""
    saw = set()
    for actor in EVERYBODY:
        for purpose in purposes or ("own", "complaint", "review", ""):
            with suppress(NotFound, NotAllowed):
                made = pictures.ticket(session, actor, PictureKind.REPORT_PHOTO, photo_id, purpose)
                session.flush()
                assert pictures.take(session, actor, made)[:4] == b"RIFF"
                saw.add((actor, purpose))
    return saw


class TestAdding:
    def test_from_check_in_until_redemption(self, session, visit_id):
        assert len(photo_ids(session, visit_id)) == 2
        planned_id = make_visit(session, customer=STRANGER)
        redeem(session, visit_id)
        for closed in (visit_id, planned_id):
            with pytest.raises(Conflict, match="report_closed"):
                report_photos.add(session, LI, closed, [empty_page()])

    def test_six_and_no_more(self, session, visit_id):
        with pytest.raises(Invalid, match="report_photos_full") as refused:
            report_photos.add(session, LI, visit_id, [empty_page()] * 5)
        assert refused.value.values == {"most": 6}
        report_photos.add(session, LI, visit_id, [empty_page()] * 4)
        with pytest.raises(Invalid, match="report_photos_full"):
            report_photos.add(session, LI, visit_id, [empty_page()])
        assert len(photo_ids(session, visit_id)) == 6

    def test_nothing_is_no_photo(self, session, visit_id):
        with pytest.raises(Invalid, match="photo_unreadable"):
            report_photos.add(session, LI, visit_id, [])

    @pytest.mark.parametrize("caregiver", [ZHAO, Actor(NOBODY_ID, Role.CAREGIVER)])
    def test_nobody_adds_to_anothers_visit(self, session, visit_id, caregiver):
        with pytest.raises(NotFound, match="visit_not_found"):
            report_photos.add(session, caregiver, visit_id, [empty_page()])

    def test_they_are_sealed(self, session, visit_id):
        rows = session.scalars(select(ReportPhoto)).all()
        assert all(row.content == empty_page().image for row in rows)
        assert all(empty_page().image not in row.content_sealed for row in rows)


class TestWhatIsTaken:
    def test_a_picture_made_anew(self):
        made = scans.photo_of(saved(Image.new("RGB", (4400, 1100), "red")))
        assert (made.width, made.height) == (2200, 550)

    @pytest.mark.parametrize(
        ("given", "refusal"),
        [
            (b"%PDF-1.7\n%%EOF", "photo_is_pdf"),
            (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "photo_unreadable"),
            (NASTY.encode(), "photo_unreadable"),
            (saved(Image.new("RGB", (9, 9)), "GIF"), "photo_unreadable"),
            (png_of(10_000, 10_000), "document_too_many_pixels"),
            (png_of(60_000, 60_000), "document_too_many_pixels"),
            (b"x" * (scans.MOST_BYTES + 1), "document_too_big"),
            (b"", "photo_unreadable"),
        ],
    )
    def test_anything_else_is_refused_in_words(self, given, refusal):
        with pytest.raises(Invalid, match=refusal):
            scans.photo_of(given)


class TestRemoving:
    def test_her_own_until_it_is_redeemed(self, session, visit_id):
        first, second = photo_ids(session, visit_id)
        pictures.ticket(session, LI, PictureKind.REPORT_PHOTO, first, "own")
        session.flush()
        report_photos.remove(session, LI, first)
        assert photo_ids(session, visit_id) == [second]
        report_photos.add(session, LI, visit_id, [empty_page()])
        session.flush()
        assert len(photo_ids(session, visit_id)) == 2
        redeem(session, visit_id)
        with pytest.raises(Conflict, match="report_closed"):
            report_photos.remove(session, LI, second)

    def test_anothers_and_none_are_the_same_refusal(self, session, visit_id):
        for photo_id in (photo_ids(session, visit_id)[0], NOBODY_ID):
            with pytest.raises(NotFound, match="report_photo_not_found"):
                report_photos.remove(session, ZHAO, photo_id)


class TestWhoSees:
    def test_the_family_and_until_redemption_the_caregiver(self, session, visit_id):
        photo_id = photo_ids(session, visit_id)[0]
        assert who_opens(session, photo_id) == {(ZHOU, "own"), (LI, "own")}
        redeem(session, visit_id)
        assert who_opens(session, photo_id) == {(ZHOU, "own")}

    @pytest.mark.parametrize("amiss", ["complaint", "incident"])
    def test_operators_while_something_is_amiss(self, session, visit_id, amiss):
        photo_id = photo_ids(session, visit_id)[0]
        if amiss == "complaint":
            number = complaints.lodge(session, ZHOU, visit_id, ComplaintCategory.QUALITY, "不好")
        else:
            number = incidents.report(session, LI, visit_id, IncidentKind.FALL, "摔了一跤")
        session.flush()
        assert (OPERATOR, "complaint") in who_opens(session, photo_id)
        assert (FAR_OPERATOR, "complaint") not in who_opens(session, photo_id)
        assert list(report_photos.of_visits(session, OPERATOR, [visit_id])) == [visit_id]
        close = complaints.close if amiss == "complaint" else incidents.close
        close(session, OPERATOR, number, "已了结")
        session.flush()
        assert who_opens(session, photo_id, "complaint") == set()
        assert report_photos.of_visits(session, OPERATOR, [visit_id]) == {}

    def test_an_operator_does_not_look_at_their_own_familys(self, session, visit_id):
        complaints.lodge(session, ZHOU, visit_id, ComplaintCategory.QUALITY, "不好")
        session.flush()
        for own in (ZHOU, LI):
            both = Actor(own.id, Role.OPERATOR, frozenset({NANTONG}))
            assert report_photos.of_visits(session, both, [visit_id]) == {}

    def test_a_ticket_does_not_outlive_the_right_to_look(self, session, visit_id):
        photo_id = photo_ids(session, visit_id)[0]
        made = pictures.ticket(session, LI, PictureKind.REPORT_PHOTO, photo_id, "own")
        redeem(session, visit_id)
        with pytest.raises(NotFound, match="document_not_found"):
            pictures.use(session, LI, made)

    def test_only_strangers_looks_are_marked_and_recorded(self, session, visit_id):
        complaints.lodge(session, ZHOU, visit_id, ComplaintCategory.QUALITY, "不好")
        session.flush()
        photo_id = photo_ids(session, visit_id)[0]

        def shown(actor, purpose):
            made = pictures.ticket(session, actor, PictureKind.REPORT_PHOTO, photo_id, purpose)
            session.flush()
            return pictures.use(session, actor, made)

        assert shown(ZHOU, "own") == shown(LI, "own") == (empty_page().image, "")
        looks = select(AuditEvent).where(AuditEvent.action == "open_report_photo")
        assert session.scalars(looks).all() == []
        image, words = shown(OPERATOR, "complaint")
        assert words.startswith(f"CarePilot operator {OPERATOR.id}")
        with Image.open(io.BytesIO(scans.marked(image, words))) as marked:
            assert marked.convert("L").getextrema()[0] < 255
        [row] = session.scalars(looks)
        assert (row.subject, row.subject_id, row.actor_id) == (
            "report_photo", photo_id, OPERATOR.id,
        )  # fmt: skip
        assert row.detail == {"purpose": "complaint", "owner_id": ZHOU.id}
        [look] = audit.looks(session, ZHOU)
        assert (look.action, look.role, look.is_me) == ("open_report_photo", Role.OPERATOR, False)
        assert audit.looks(session, STRANGER) == []

    @pytest.mark.parametrize("actor", EVERYBODY)
    def test_a_document_of_the_same_number_is_not_a_photo(self, session, visit_id, actor):
        photo_id = photo_ids(session, visit_id)[0]
        with pytest.raises((NotFound, NotAllowed)):
            pictures.ticket(session, actor, PictureKind.DOCUMENT, photo_id, "own")

    def test_a_list_shows_each_visits_own_in_order(self, session, visit_id):
        other_id = make_finished_visit(session, customer=STRANGER, caregiver=ZHAO)
        report_photos.add(session, ZHAO, other_id, [empty_page()])
        session.flush()
        found = report_photos.of_visits(session, ZHOU, [visit_id, other_id])
        assert {visit: [one.id for one in its] for visit, its in found.items()} == {
            visit_id: list(photo_ids(session, visit_id))
        }
        assert report_photos.of_visits(session, DESK, [visit_id, other_id]) == {}


class TestShredding:
    def left(self, session):
        session.expire_all()
        held = select(ReportPhoto).where(ReportPhoto.content_sealed.is_not(None))
        return len(session.scalars(held).all())

    def shred(self, session):
        session.flush()
        return report_photos.shred_due(session, SYSTEM)

    def test_the_job_for_pictures_shreds_them_too(self, session, clock, visit_id):
        clock.move(days=29)  # Other pictures go after thirty.
        session.execute(update(City).values(photo_days=28))
        session.flush()
        assert pictures.shred_due(session, SYSTEM) == 2

    def test_after_the_days_of_the_city(self, session, clock, visit_id):
        session.execute(update(City).where(City.code == NANTONG).values(photo_days=10))
        clock.move(days=10)
        assert self.shred(session) == 0
        clock.move(minutes=1)
        assert self.shred(session) == 2
        assert self.shred(session) == self.left(session) == 0
        assert report_photos.of_visits(session, ZHOU, [visit_id]) == {}
        photo_id = photo_ids(session, visit_id)[0]
        with pytest.raises(NotFound):
            pictures.ticket(session, ZHOU, PictureKind.REPORT_PHOTO, photo_id, "own")
        shredded = select(AuditEvent.actor_id).where(AuditEvent.action == "shred_photo")
        assert session.scalars(shredded).all() == [None, None]

    def test_what_is_disputed_waits_for_its_end(self, session, clock, visit_id):
        number = complaints.lodge(session, ZHOU, visit_id, ComplaintCategory.QUALITY, "不好")
        clock.move(days=100)
        assert self.shred(session) == 0
        complaints.close(session, OPERATOR, number, "已了结")
        assert self.shred(session) == 2

    def test_with_the_consent_to_sensitive_data_but_not_the_evidence(
        self, session, clock, visit_id
    ):
        disputed = make_finished_visit(session, starts_at=clock() - timedelta(days=2))
        others = make_finished_visit(session, customer=STRANGER, caregiver=ZHAO)
        report_photos.add(session, LI, disputed, [empty_page()])
        report_photos.add(session, ZHAO, others, [empty_page()])
        for its in (visit_id, disputed):
            redeem(session, its)
        complaints.lodge(session, ZHOU, disputed, ComplaintCategory.QUALITY, "不好")
        consents.give(session, ZHOU, Policy.SENSITIVE_DATA, 1)
        session.flush()

        erasure.forget_sensitive(session, ZHOU)

        assert self.left(session) == 2
        assert report_photos.of_visits(session, ZHOU, [visit_id]) == {}
        assert len(report_photos.of_visits(session, ZHOU, [disputed])[disputed]) == 1

    def test_with_the_family_and_nobody_else(self, session, clock, visit_id):
        other_id = make_redeemed_visit(session, customer=STRANGER, caregiver=ZHAO)
        redeem(session, visit_id)
        erasure.ask(session, ZHOU)
        clock.move(days=8)
        session.flush()
        with_photo = photo_ids(session, visit_id)
        assert erasure.erase_due(session, SYSTEM) == 1
        session.flush()
        assert self.left(session) == 0
        assert photo_ids(session, visit_id) == with_photo
        assert other_id != visit_id


def test_a_new_key_seals_them_anew(session, visit_id, monkeypatch):
    monkeypatch.setenv("CAREPILOT_SEALING_KEY", "a newer sealing key of this test!")
    monkeypatch.setenv("CAREPILOT_OLD_SEALING_KEYS", "derived")
    sealing.ring.cache_clear()
    try:
        [table] = [one for one in keys.tables() if one.name == ReportPhoto.__tablename__]
        assert keys.left(session, table) == 2
        assert keys.reseal(session, table, 0).resealed == 2
        assert keys.left(session, table) == 0
        session.expire_all()
        assert [row.content for row in session.scalars(select(ReportPhoto))] == [
            empty_page().image
        ] * 2
    finally:
        sealing.ring.cache_clear()
