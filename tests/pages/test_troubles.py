"""Complaints, incidents and extra time on the cards where both sides and operators meet them."""

from datetime import timedelta

from sqlalchemy import select

from data.complaints import Complaint, ComplaintStatus, ExtraTime, ExtraTimeStatus, Incident
from data.database import reading, writing
from data.orders import Party, Visit
from services import changes, complaints, extra_times, incidents, visits
from services import clock as service_clock
from services.complaints import ComplaintCategory
from services.incidents import IncidentKind
from tests.factories import (
    FAR_OPERATOR,
    LI,
    NASTY,
    OPERATOR,
    ZHOU,
    make_finished_visit,
    make_redeemed_visit,
    make_visit,
    order_of,
)
from tests.pages.screen import confirm, errors, keys, opened, questions, said, successes, words

MY_ORDERS = "pages/customer/my_orders.py"
MY_VISITS = "pages/caregiver/my_visits.py"
ORDERS = "pages/operator/orders.py"
COMPLAINTS = "pages/operator/complaints.py"
TODAY = "pages/operator/today.py"


def made(maker, **changes):
    with writing() as session:
        return maker(session, **changes)


def lodged(visit_id):
    with writing() as session:
        return complaints.lodge(session, ZHOU, visit_id, ComplaintCategory.PUNCTUALITY, NASTY)


def reported(visit_id):
    with writing() as session:
        return incidents.report(session, LI, visit_id, IncidentKind.FALL, NASTY)


def stayed(clock, minutes):
    """A visit of Li's from which she went so many minutes late."""
    with writing() as session:
        visit_id = make_visit(session, starts_at=clock() + timedelta(hours=1))
        with service_clock.at(clock() + timedelta(hours=1)):
            visits.check_in(session, LI, visit_id)
        clock.move(to=session.get_one(Visit, visit_id).ends_at + timedelta(minutes=minutes))
        visits.check_out(session, LI, visit_id, ())
    return visit_id


def one(table):
    with reading() as session:
        return session.scalars(select(table)).one()


def complain(app, visit_id, typed):
    key = f"complain_{visit_id}"
    opened(app, f"{key}_ask").text_area(key=f"{key}_words").set_value(typed)
    app.session_state[f"{key}_ask"] = True
    return app.button(key=key).click().run()


class TestComplaints:
    def test_a_family_complains_and_takes_it_back(self, open_app):
        visit_id = made(make_redeemed_visit)
        app = complain(open_app(MY_ORDERS, ZHOU), visit_id, NASTY)
        assert successes(app) == [words("complaint.lodged")]
        assert one(Complaint).words == NASTY
        assert words("complaint.pay_rests") in said(app)
        app = confirm(app, f"take_back_{one(Complaint).id}")
        assert one(Complaint).status is ComplaintStatus.CLOSED

    def test_without_words_it_is_refused_in_words(self, open_app):
        visit_id = made(make_redeemed_visit)
        app = complain(open_app(MY_ORDERS, ZHOU), visit_id, "  ")
        assert errors(app) == ["请填写：发生了什么"]

    def test_a_coming_visit_has_no_such_button(self, open_app):
        visit_id = made(make_visit)
        assert f"complain_{visit_id}" not in questions(open_app(MY_ORDERS, ZHOU))

    def test_the_caregiver_sees_that_there_is_one_but_not_the_words(self, open_app):
        lodged(made(make_finished_visit))
        text = said(open_app(MY_VISITS, LI))
        assert words("complaint_category.punctuality") in text
        assert "script" not in text

    def test_an_operator_is_led_from_the_order_to_the_case(self, open_app):
        visit_id = made(make_redeemed_visit)
        complaint_id = lodged(visit_id)
        with reading() as session:
            number = str(order_of(session, visit_id))
        app = open_app(ORDERS, OPERATOR)
        app.text_input(key="order_number").set_value(number).run()
        [link] = [one for one in app.get("page_link") if "complaints" in one.proto.page]
        assert link.proto.label == words("complaint.to_case", number=complaint_id)
        assert link.proto.query_string == f"case={complaint_id}"

    def test_it_waits_on_today_of_its_city(self, open_app):
        lodged(made(make_finished_visit))
        assert words("to_do.complaints", count=1) in said(open_app(TODAY, OPERATOR))
        assert words("today.all_done") in said(open_app(TODAY, FAR_OPERATOR))


class TestANoShow:
    def missed(self, clock):
        with writing() as session:
            visit_id = make_visit(session)
            clock.move(to=session.get_one(Visit, visit_id).starts_at)
            changes.miss(session, OPERATOR, visit_id, Party.CUSTOMER, NASTY)
        return visit_id

    def test_is_contested_by_the_family_it_is_held_against(self, open_app, clock):
        visit_id = self.missed(clock)
        app = complain(open_app(MY_ORDERS, ZHOU), visit_id, "我们一直在家")
        assert successes(app) == [words("complaint.lodged")]
        assert one(Complaint).category is ComplaintCategory.NO_SHOW

    def test_is_taken_back_by_an_operator_who_has_read_what_happened(self, open_app, clock):
        visit_id = self.missed(clock)
        with writing() as session:
            number = complaints.lodge(
                session, ZHOU, visit_id, ComplaintCategory.NO_SHOW, "我们一直在家"
            )
        app = open_app(COMPLAINTS, OPERATOR)
        app.query_params["case"] = str(number)
        app.run()
        assert words("evidence.not_in") in said(app)
        assert NASTY in [text.value for text in app.text]
        key = f"take_back_no_show_{number}"
        app = opened(app, f"{key}_ask")
        app.text_area(key=f"reason_{key}").set_value("家属提供了录像")
        app.session_state[f"{key}_ask"] = True
        app.button(key=key).click().run()
        assert successes(app) == [words("evidence.taken_back")]
        assert one(Complaint).outcome_words == "家属提供了录像"
        assert one(Visit).fee_fen == 0

    def test_has_no_such_button_for_both_sides(self, open_app, clock):
        visit_id = self.missed(clock)
        with writing() as session:
            number = complaints.lodge(
                session, ZHOU, visit_id, ComplaintCategory.NO_SHOW, "我们一直在家"
            )
        for page, actor in ((MY_ORDERS, ZHOU), (MY_VISITS, LI)):
            assert f"take_back_no_show_{number}" not in questions(open_app(page, actor))


class TestIncidents:
    def test_a_caregiver_reports_one_from_her_visit(self, open_app):
        visit_id = made(make_finished_visit)
        key = f"incident_{visit_id}"
        app = opened(open_app(MY_VISITS, LI), f"{key}_ask")
        assert words("incident.first") in [warning.value for warning in app.warning]
        app.text_area(key=f"{key}_words").set_value(NASTY)
        app.session_state[f"{key}_ask"] = True
        app.button(key=key).click().run()
        assert successes(app) == [words("incident.reported")]
        assert (one(Incident).kind, one(Incident).words) == (IncidentKind.FALL, NASTY)

    def test_a_planned_visit_has_no_such_button(self, open_app):
        visit_id = made(make_visit)
        assert f"incident_{visit_id}" not in questions(open_app(MY_VISITS, LI))

    def test_the_operator_closes_it_on_today(self, open_app):
        incident_id = reported(made(make_finished_visit))
        key = f"outcome_incident_{incident_id}"
        app = open_app(TODAY, OPERATOR)
        assert words("to_do.incidents_next") in said(app)
        for again in range(2):
            app.session_state["things_incidents"] = app.session_state[f"{key}_ask"] = True
            if again:
                app.text_area(key=f"{key}_words").set_value("已就诊，无大碍")
                app.button(key=key).click()
            app.run()
        assert one(Incident).outcome_words == "已就诊，无大碍"
        assert words("today.all_done") in said(app)

    def test_the_family_sees_what_kind_and_not_the_words(self, open_app):
        reported(made(make_finished_visit))
        text = said(open_app(MY_ORDERS, ZHOU))
        assert words("incident_kind.fall") in text
        assert "script" not in text


class TestExtraTime:
    def test_is_asked_for_with_its_price_before_the_click(self, open_app, clock):
        visit_id = stayed(clock, 50)
        app = opened(open_app(MY_VISITS, LI), f"extra_time_{visit_id}_ask")
        assert "超出 45 分钟" in said(app)
        app.button(key=f"extra_time_{visit_id}").click().run()
        assert successes(app) == [words("extra_time.asked")]
        assert one(ExtraTime).minutes == 45
        assert f"extra_time_{visit_id}" not in questions(app)

    def test_the_family_agrees_after_reading_what_it_costs(self, open_app, clock):
        visit_id = stayed(clock, 50)
        with writing() as session:
            extra_times.ask(session, LI, visit_id)
        app = confirm(open_app(MY_ORDERS, ZHOU), f"agree_extra_{visit_id}")
        assert successes(app) == [words("extra_time.agreed")]
        assert one(ExtraTime).status is ExtraTimeStatus.AGREED
        assert f"agree_extra_{visit_id}" not in questions(app)

    def test_the_family_may_refuse(self, open_app, clock):
        visit_id = stayed(clock, 50)
        with writing() as session:
            extra_times.ask(session, LI, visit_id)
        confirm(open_app(MY_ORDERS, ZHOU), f"refuse_extra_{visit_id}")
        assert one(ExtraTime).status is ExtraTimeStatus.REFUSED

    def test_a_visit_that_ended_in_time_offers_none(self, open_app):
        visit_id = made(make_finished_visit)
        app = open_app(MY_VISITS, LI)
        assert f"extra_time_{visit_id}" not in questions(app) | keys(app)
