"""Photos in a report: added and removed by the caregiver, opened by the family, on a click."""

import io

import pytest
from PIL import Image
from sqlalchemy import func, select

from data.database import reading, writing
from data.history import AuditEvent
from data.orders import ReportPhoto
from data.verifications import DocumentTicket
from services import complaints, report_photos
from services.complaints import ComplaintCategory
from tests.factories import (
    LI,
    OPERATOR,
    ZHAO,
    ZHOU,
    empty_page,
    make_finished_visit,
    make_redeemed_visit,
    order_of,
)
from tests.pages.screen import errors, keys, opened, said, speak_english, successes, words

MY_ORDERS = "pages/customer/my_orders.py"
MY_VISITS = "pages/caregiver/my_visits.py"
ORDERS = "pages/operator/orders.py"


def jpeg():
    written = io.BytesIO()
    Image.new("RGB", (300, 200), "teal").save(written, "JPEG")
    return written.getvalue()


def count(table):
    with reading() as session:
        return session.scalar(select(func.count(table.id)))


@pytest.fixture
def visit_id(database):
    """A visit that waits for its code, with two photos."""
    with writing() as session:
        made = make_finished_visit(session)
        report_photos.add(session, LI, made, [empty_page()] * 2)
    return made


def desk(open_app, visit_id):
    return opened(open_app(MY_VISITS, LI), f"photo_desk_{visit_id}_open")


class TestTheCaregiver:
    def test_adds_several_at_once(self, open_app, visit_id):
        app = desk(open_app, visit_id)
        field = app.file_uploader[0].upload("a.jpg", jpeg(), "image/jpeg")
        field.upload("b.jpg", jpeg(), "image/jpeg").run()
        assert not app.exception
        assert successes(app) == [words("report_photos.added")]
        assert count(ReportPhoto) == 4
        assert words("report_photos.desk", most=6) in [one.label for one in app.expander]

    @pytest.mark.parametrize(
        ("given", "refusal"),
        [
            (b"%PDF-1.7", "photo_is_pdf"),
            (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "photo_unreadable"),
        ],
    )
    def test_is_told_what_cannot_be_taken(self, open_app, visit_id, given, refusal):
        app = desk(open_app, visit_id)
        app.file_uploader[0].upload("a.jpg", given, "image/jpeg").run()
        assert errors(app) == [words(f"error.{refusal}")]
        assert count(ReportPhoto) == 2

    def test_is_told_that_six_are_the_most(self, open_app, visit_id):
        app = desk(open_app, visit_id)
        field = app.file_uploader[0]
        for number in range(5):
            field = field.upload(f"{number}.jpg", jpeg(), "image/jpeg")
        field.run()
        assert errors(app) == [words("error.report_photos_full", most=6)]
        assert count(ReportPhoto) == 2

    def test_takes_one_out(self, open_app, visit_id):
        app = desk(open_app, visit_id)
        first = next(key for key in keys(app) if key.startswith("remove_photo_"))
        app.button(key=first).click().run()
        assert successes(app) == [words("report_photos.removed")]
        assert count(ReportPhoto) == 1

    def test_has_no_say_after_redemption(self, open_app):
        with writing() as session:
            make_redeemed_visit(session)
        labels = [one.label for one in open_app(MY_VISITS, LI).expander]
        assert words("report_photos.desk", most=6) not in labels


class TestTheFamily:
    def test_opens_them_with_a_click_and_not_before(self, open_app, visit_id):
        app = open_app(MY_ORDERS, ZHOU)
        assert words("report_photos.count", count=2) in [one.label for one in app.expander]
        assert count(DocumentTicket) == 0
        app = opened(app, f"report_photos_{visit_id}_open")
        assert not app.exception
        assert count(DocumentTicket) == 2
        app.run()
        assert count(DocumentTicket) == 2

    def test_reads_it_in_english(self, open_app, visit_id):
        app = speak_english(open_app(MY_ORDERS, ZHOU))
        assert "Photos (2)" in [one.label for one in app.expander]


class TestOthers:
    def order(self, open_app, number):
        app = open_app(ORDERS, OPERATOR)
        return app.text_input(key="order_number").set_value(number).run()

    def test_other_caregivers_find_nothing(self, open_app, visit_id):
        labels = [one.label for one in open_app(MY_VISITS, ZHAO).expander]
        assert words("report_photos.desk", most=6) not in labels

    def test_an_operator_sees_them_while_there_is_a_complaint(self, open_app, visit_id):
        with reading() as session:
            order = str(order_of(session, visit_id))
        name = f"report_photos_{visit_id}_open"
        label = words("report_photos.count", count=2)
        assert label not in [one.label for one in self.order(open_app, order).expander]
        with writing() as session:
            complaints.lodge(session, ZHOU, visit_id, ComplaintCategory.SAFETY, "手臂有淤青")
        app = self.order(open_app, order)
        assert count(DocumentTicket) == 0
        app = opened(app, name)
        assert not app.exception
        assert words("report_photos.audited") in said(app)
        assert count(DocumentTicket) == 2
        with reading() as session:
            looks = AuditEvent.action == "open_report_photo"
            assert session.scalars(select(AuditEvent).where(looks)).all() == []
