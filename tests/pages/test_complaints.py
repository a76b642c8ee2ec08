"""Complaints as their sides follow them, and as operators work through them."""

import io

from PIL import Image
from sqlalchemy import select

from components import formats
from data.accounts import AccountRole
from data.complaints import (
    Complaint,
    ComplaintCategory,
    ComplaintEvidence,
    ComplaintMessage,
    ComplaintStatus,
)
from data.database import reading, writing
from data.exclusions import Exclusion
from data.points import PenaltyPoints, PointsStatus
from services import complaint_cases, complaints, exclusions, points, rulings
from services.access import Actor, Role
from services.exclusions import Excluding, Scope
from services.rulings import Ruling
from tests.factories import (
    LI,
    NANTONG,
    NASTY,
    OPERATOR,
    ZHOU,
    empty_page,
    make_finished_visit,
    make_operator,
    make_redeemed_visit,
)
from tests.pages.screen import confirm, errors, keys, opened, questions, said, successes, words

COMPLAINTS = "pages/operator/complaints.py"
MY_ORDERS = "pages/customer/my_orders.py"
MY_PROFILE = "pages/caregiver/my_profile.py"
MY_VISITS = "pages/caregiver/my_visits.py"
PROFILE = "pages/account/profile.py"


def lodged():
    """ZHOU's complaint of LI with a page of evidence; its number."""
    with writing() as session:
        visit_id = make_redeemed_visit(session)
        return complaints.lodge(
            session, ZHOU, visit_id, ComplaintCategory.ATTITUDE, NASTY, [empty_page()]
        )


def decided(ruling, number=None):
    number = number or lodged()
    with writing() as session:
        rulings.decide(session, OPERATOR, number, ruling)
    return number


def case(open_app, number, actor=OPERATOR):
    app = open_app(COMPLAINTS, actor)
    app.query_params["case"] = str(number)
    return app.run()


def rows(table):
    with reading() as session:
        return session.scalars(select(table).order_by(table.id)).all()


def picture():
    written = io.BytesIO()
    Image.new("RGB", (40, 30), "white").save(written, "PNG")
    return "photo.png", written.getvalue(), "image/png"


class TestASide:
    def complain(self, app, visit_id, file=None):
        key = f"complain_{visit_id}"
        opened(app, f"{key}_ask").text_area(key=f"{key}_words").set_value("迟到了")
        if file is not None:
            app.file_uploader(key=f"{key}_files").upload(*file)
        app.session_state[f"{key}_ask"] = True
        return app.button(key=key).click().run()

    def test_complains_with_a_photo(self, open_app):
        with writing() as session:
            visit_id = make_redeemed_visit(session)
        app = self.complain(open_app(MY_ORDERS, ZHOU), visit_id, picture())
        assert successes(app) == [words("complaint.lodged")]
        assert len(rows(ComplaintEvidence)) == 1

    def test_is_told_what_is_no_photo_and_loses_nothing(self, open_app):
        with writing() as session:
            visit_id = make_redeemed_visit(session)
        wrong = ("photo.png", b"no picture at all", "image/png")
        app = self.complain(open_app(MY_ORDERS, ZHOU), visit_id, wrong)
        assert errors(app) == [words("error.document_unreadable")]
        assert app.text_area(key=f"complain_{visit_id}_words").value == "迟到了"
        assert rows(Complaint) == []

    def test_writes_to_the_platform_and_reads_its_own_words_only(self, open_app):
        number = lodged()
        app = opened(open_app(MY_VISITS, LI), f"complaint_thread_{number}")
        assert NASTY not in said(app)
        app.text_area(key=f"message_{number}_words").set_value("路上堵车")
        app.session_state[f"complaint_thread_{number}"] = True
        app.button(key=f"message_{number}").click().run()
        assert successes(app) == [words("complaint.message_sent")]
        assert [one.words for one in rows(ComplaintMessage)] == ["路上堵车"]

    def test_reads_the_outcome_and_appeals_once(self, open_app):
        number = decided(Ruling("已道歉，退一半", 4000, 1000, apology=True, points=2))
        assert words("complaint.refunded_by_you", amount="¥10") in said(open_app(MY_VISITS, LI))
        app = open_app(MY_ORDERS, ZHOU)
        assert words("complaint.refunded", amount="¥40") in said(app)
        assert words("complaint.points_given", count=2) in said(app)
        app = opened(app, f"appeal_{number}_ask")
        app.text_area(key=f"appeal_{number}_words").set_value("应该全退")
        app.session_state[f"appeal_{number}_ask"] = True
        app.button(key=f"appeal_{number}").click().run()
        assert successes(app) == [words("complaint.appealed")]
        assert rows(Complaint)[0].status is ComplaintStatus.APPEALED
        assert f"appeal_{number}" not in questions(app)


class TestTheQueue:
    def test_says_what_to_do_where_there_is_nothing(self, open_app):
        assert words("empty.complaints_next") in said(open_app(COMPLAINTS, OPERATOR))

    def test_shows_who_complains_of_what_until_when(self, open_app):
        lodged()
        row = open_app(COMPLAINTS, OPERATOR).dataframe[0].value.iloc[0]
        assert row["category"] == "家属投诉：态度"
        assert (row["customer"], row["caregiver"], row["owner"]) == ("周晓燕", "李桂兰", "–")
        assert row["due"].endswith("09:00")

    def test_marks_what_is_overdue(self, open_app, clock):
        lodged()
        clock.move(days=5)
        row = open_app(COMPLAINTS, OPERATOR).dataframe[0].value.iloc[0]
        assert words("cases.overdue") in row["status"]


class TestACase:
    def test_is_taken_and_asked_about(self, open_app):
        number = lodged()
        app = case(open_app, number)
        assert formats.plain(NASTY) in said(app)
        app.button(key="take_case").click().run()
        assert successes(app) == [words("cases.taken")]
        app.query_params["case"] = str(number)
        app.text_area(key=f"message_{number}_words").set_value("请说明情况")
        app.button(key=f"message_{number}").click().run()
        assert [one.audience for one in rows(ComplaintMessage)] == ["caregiver"]

    def test_is_handed_over(self, open_app):
        with writing() as session:
            colleague = make_operator(session)
        number = lodged()
        app = opened(case(open_app, number), "hand_over_ask")
        app.button(key="hand_over").click().run()
        assert rows(Complaint)[0].owner_id == colleague.id

    def test_is_decided_with_its_effect_in_sight(self, open_app):
        number = lodged()
        app = case(open_app, number)
        key = f"ruling_{number}"
        app.text_area(key=f"{key}_words").set_value("属实，已道歉")
        app.number_input(key=f"{key}_refund").set_value(40.0)
        app.number_input(key=f"{key}_points").set_value(3)
        app.checkbox(key=f"{key}_apology").check()
        app.selectbox(key=f"{key}_scope").set_value(Scope.PAIR).run()
        app.text_area(key=f"{key}_evidence").set_value("通话录音").run()
        effect = said(app)
        assert "从 0 变为 3" in effect
        assert "退给家属 ¥40：陪护员承担 ¥0，平台承担 ¥40" in effect
        app = confirm(app, f"decide_{number}")
        assert successes(app) == [words("complaint.closed")]
        [row], [given], [apart] = rows(Complaint), rows(PenaltyPoints), rows(Exclusion)
        assert (row.outcome_words, row.apology, given.points) == ("属实，已道歉", True, 3)
        assert (apart.customer_id, apart.caregiver_id) == (ZHOU.id, LI.id)

    def test_without_words_is_not_decided_and_nothing_typed_is_lost(self, open_app):
        number = lodged()
        app = case(open_app, number)
        app.number_input(key=f"ruling_{number}_points").set_value(3).run()
        app = confirm(app, f"decide_{number}")
        assert errors(app) == [words("error.missing", field=words("field.outcome_words"))]
        assert app.number_input(key=f"ruling_{number}_points").value == 3
        assert rows(Complaint)[0].status is ComplaintStatus.OPEN

    def test_an_appeal_is_decided_by_somebody_else(self, open_app):
        number = decided(Ruling("已道歉", points=2))
        with writing() as session:
            colleague = make_operator(session)
            rulings.appeal(session, LI, number, "我没有")
        app = case(open_app, number)
        app.text_area(key=f"ruling_{number}_words").set_value("维持").run()
        app = confirm(app, f"decide_{number}")
        assert errors(app) == [words("error.another_decides")]
        app = case(open_app, number, colleague)
        app.segmented_control(key=f"ruling_{number}_move").set_value("amend").run()
        app.text_area(key=f"ruling_{number}_words").set_value("取消").run()
        confirm(app, f"decide_{number}")
        assert rows(PenaltyPoints)[0].status is PointsStatus.LIFTED

    def test_of_ones_own_visit_is_somebody_elses(self, open_app):
        number = lodged()
        with writing() as session:
            session.add(
                AccountRole(
                    created_at=rows(Complaint)[0].created_at,
                    account_id=LI.id,
                    role=Role.OPERATOR,
                    city_code=NANTONG,
                )
            )
            herself = Actor(LI.id, Role.OPERATOR, frozenset({NANTONG}))
        app = case(open_app, number, herself)
        assert words("cases.concerned") in said(app)
        assert f"decide_{number}" not in questions(app)


class TestPoints:
    def test_are_read_and_contested_by_her(self, open_app):
        decided(Ruling("催促老人", points=2))
        app = open_app(MY_PROFILE, LI)
        assert words("points.total", total=2, limit=12, months=12) in said(app)
        [given] = rows(PenaltyPoints)
        key = f"contest_{given.id}"
        app = opened(app, f"{key}_ask")
        app.text_area(key=f"reason_{key}").set_value("我没有催")
        app.session_state[f"{key}_ask"] = True
        app.button(key=key).click().run()
        assert successes(app) == [words("points.contested")]
        assert key not in questions(app)

    def test_are_lifted_by_another_operator(self, open_app):
        decided(Ruling("催促老人", points=2))
        with writing() as session:
            colleague = make_operator(session)
            [given] = rows(PenaltyPoints)
            points.contest(session, LI, given.id, "我没有催")
        key = f"lift_points_{given.id}"
        app = opened(open_app(COMPLAINTS, colleague), f"{key}_ask")
        app.text_area(key=f"reason_{key}").set_value("录音里没有")
        app.session_state[f"{key}_ask"] = True
        app.button(key=key).click().run()
        assert rows(PenaltyPoints)[0].status is PointsStatus.LIFTED


class TestNotAgain:
    def test_is_wished_on_the_order_and_taken_back_on_the_profile(self, open_app):
        with writing() as session:
            visit_id = make_finished_visit(session)
        app = confirm(open_app(MY_ORDERS, ZHOU), f"apart_{visit_id}")
        assert successes(app) == [words("exclusions.kept_apart")]
        [wish] = rows(Exclusion)
        app = open_app(PROFILE, ZHOU)
        assert "李桂兰" in said(app)
        app.button(key=f"meet_again_{wish.id}").click().run()
        assert rows(Exclusion)[0].lifted_at is not None
        assert f"meet_again_{wish.id}" not in keys(app)

    def test_is_hers_too_and_no_family_reads_it(self, open_app):
        with writing() as session:
            visit_id = make_finished_visit(session)
        confirm(open_app(MY_VISITS, LI), f"apart_{visit_id}")
        assert words("exclusions.mine") in said(open_app(PROFILE, LI))
        assert words("exclusions.mine") not in said(open_app(PROFILE, ZHOU))

    def test_what_operators_decided_is_listed_and_lifted(self, open_app):
        decided(Ruling("停", excluding=Excluding(Scope.CAREGIVER, "两次爽约")))
        [one] = rows(Exclusion)
        app = open_app(COMPLAINTS, OPERATOR)
        key = f"lift_{one.id}"
        app.session_state["exclusions_open"] = True
        app.run()
        for again in range(2):
            app.session_state["exclusions_open"] = app.session_state[f"{key}_ask"] = True
            if again:
                app.text_area(key=f"reason_{key}").set_value("期满前核实有误")
                app.button(key=key).click()
            app.run()
        with reading() as session:
            assert exclusions.listing(session, OPERATOR) == []
            assert complaint_cases.counts(session, OPERATOR)["decided"] == 1
