"""The rule book's documents: as everybody reads them, and as operators write and publish them."""

from dataclasses import replace
from datetime import timedelta

import pytest

from components import navigation
from data.database import reading, writing
from data.policies import Policy
from services import policies, policy_drafts
from tests.factories import DESK, FAR_OPERATOR, NAMES, NASTY, OPERATOR, ZHOU, make_redeemed_visit
from tests.pages.screen import confirm, errors, keys, opened, said, speak_english, successes, words
from tests.policies import WORDS_ZH, publish, written

PAGE, READING = "pages/operator/policies.py", "pages/public/policy.py"
PRIVACY = Policy.PRIVACY


@pytest.fixture
def day(clock):
    return clock().date() + timedelta(days=7)


@pytest.fixture
def draft(database):
    """A draft of the privacy notice: the beginning of its keys."""
    with writing() as session:
        draft_id, form, edition = written(session, PRIVACY)
        policy_drafts.save(session, OPERATOR, draft_id, form, edition)
    return f"draft_{draft_id}_"


@pytest.fixture
def coming(database, day):
    with writing() as session:
        publish(session, PRIVACY, day)


def asking(app, **query):
    for name, value in query.items():
        app.query_params[name] = value
    return app.run()


def shelf():
    with reading() as session:
        return policy_drafts.shelf(session, OPERATOR, PRIVACY)


def badges(app):
    return [one.value for one in app.main.markdown if "-badge[" in one.value]


def links(app):
    return {one.label: one.query_string for one in app.main.get("page_link")}


class TestReading:
    def test_nobody_has_to_sign_in_to_read_all_that_is_in_force(self, open_app):
        app = open_app(READING, None)
        shown = links(app)
        for policy in Policy:
            assert f"of={policy}" in shown[words(f"policy.{policy}")]

    def test_the_one_in_force_is_shown_with_what_changed(self, open_app):
        app = open_app(READING, None, of="privacy")
        with reading() as session:
            version = policies.in_force(session, PRIVACY)[PRIVACY]
        assert app.title[0].value == words("policy.privacy")
        assert version.words_zh in said(app)
        assert words("policies.what_changed", changes=version.changes_zh) in said(app)
        assert any(words("policy_standing.in_force") in one for one in badges(app))

    def test_older_and_coming_ones_are_reached_by_address(self, open_app, coming):
        old = asking(open_app(READING, ZHOU), of="privacy", version="1")
        assert "或拨打服务热线要求删除" in said(old)
        assert any(words("policy_standing.replaced") in one for one in badges(old))
        new = asking(open_app(READING, ZHOU), of="privacy", version="3")
        assert WORDS_ZH in said(new)
        assert any(words("policy_standing.coming") in one for one in badges(new))

    def test_it_is_compared_with_the_one_before(self, open_app, coming):
        app = open_app(READING, None, of="privacy", version="3")
        assert ":red-background" not in said(app)
        shown = said(opened(app, "policy_compare"))
        assert ":red-background[~~" in shown
        assert ":green-background[**" in shown

    def test_one_that_is_not_there_says_so(self, open_app, draft):
        app = open_app(READING, None, of="privacy", version="99")
        assert words("empty.policy") in said(app)
        assert len(links(app)) == 3  # Both versions, and all documents.

    def test_an_address_that_means_nothing_shows_all(self, open_app):
        app = open_app(READING, None, of="<script>")
        assert words("policies.all_subtitle") in said(app)
        assert not app.exception

    def test_it_speaks_english(self, open_app):
        app = speak_english(open_app(READING, None, of="complaint_handling"))
        assert "How complaints are handled" in said(app)
        assert "投诉" not in said(app)


class TestShelves:
    def test_every_document_shows_how_it_stands_and_who_said_yes(self, open_app, coming, draft):
        app = open_app(PAGE, OPERATOR)
        for policy in Policy:
            assert words(f"policy.{policy}") in said(app)
        assert words("policy_standing.draft") in "".join(badges(app))
        assert len(badges(app)) == 1 + len(Policy) + 2  # The demo's, those in force, these two.
        bars = [one.proto.text for one in app.get("progress")]
        assert words("policies.said_yes", accepted=5, asked=5, number=2) in bars

    def test_the_menu_has_them_for_operators_alone(self, open_app, menu):
        open_app(PAGE, OPERATOR)
        assert words("page.policies") in menu
        open_app("pages/desk/take_call.py", DESK)
        assert words("page.policies") not in menu
        assert not [one for one in navigation.PAGES if one.name == "policy" and one.in_menu]


class TestWriting:
    def test_a_draft_is_begun_written_and_saved(self, open_app):
        app = asking(open_app(PAGE, OPERATOR), of="privacy")
        assert words("policies.no_draft") in said(app)
        app.button(key="policy_begin").click().run()
        assert successes(app) == [words("policies.begun")]
        key = f"draft_{shelf().draft.id}_"
        app.text_area(key=f"{key}words_zh").set_value("**改好的**").run()
        assert "**改好的**" in said(app)  # The preview.
        for language in ("zh", "en"):
            app.text_input(key=f"{key}changes_{language}").set_value(NASTY)
        app.button(key=f"{key}save").click().run()
        assert successes(app) == [words("policies.saved")]
        assert shelf().draft.form.words_zh == "**改好的**"
        assert shelf().draft.form.changes_en == NASTY

    def test_bad_words_are_answered_in_words_and_nothing_is_lost(self, open_app, draft):
        app = asking(open_app(PAGE, OPERATOR), of="privacy")
        app.text_area(key=f"{draft}words_zh").set_value("好<script>alert(1)</script>").run()
        app.button(key=f"{draft}save").click().run()
        refusal = words("error.policy_html", field=words("field.policy_words_zh"))
        assert errors(app) == [refusal]
        assert app.text_area(key=f"{draft}words_zh").value == "好<script>alert(1)</script>"
        assert shelf().draft.form.words_zh == WORDS_ZH

    def test_a_colleagues_words_are_not_overwritten(self, open_app, draft):
        app = asking(open_app(PAGE, OPERATOR), of="privacy")
        app.text_area(key=f"{draft}words_zh").set_value("我的写法").run()
        found = shelf().draft
        hers = replace(found.form, words_zh="她的写法")
        with writing() as session:
            policy_drafts.save(session, FAR_OPERATOR, found.id, hers, found.edition)
        app.button(key=f"{draft}save").click().run()
        assert errors(app) == [words("error.policy_written_meanwhile")]
        assert app.text_area(key=f"{draft}words_zh").value == "我的写法"
        assert shelf().draft.form.words_zh == "她的写法"
        fresh = asking(open_app(PAGE, OPERATOR), of="privacy")
        assert words("policies.written_by", name=NAMES[FAR_OPERATOR]) in said(fresh)

    def test_one_is_given_up(self, open_app, draft):
        app = confirm(asking(open_app(PAGE, OPERATOR), of="privacy"), f"{draft}discard")
        assert successes(app) == [words("policies.discarded")]
        assert "policy_begin" in keys(app)


class TestPublishing:
    def publishing(self, open_app, draft):
        app = asking(open_app(PAGE, OPERATOR), of="privacy")
        return opened(app, f"{draft}publication").run()

    def test_the_differences_come_first_then_the_day_and_whom_it_is_asked_of(
        self, open_app, draft, day
    ):
        app = self.publishing(open_app, draft)
        assert ":green-background[**" in said(app)
        assert app.date_input(key=f"{draft}day").value == day
        app.session_state[f"{draft}publication"] = True
        app = opened(app, f"{draft}publish_ask")
        app.session_state[f"{draft}publication"] = True
        app.button(key=f"{draft}publish").click().run()
        assert successes(app) == [words("policies.published")]
        [newest, *_] = shelf().history.versions
        assert (newest.number, newest.effective_on) == (3, day)
        by = words(
            "policies.by",
            written_by=NAMES[OPERATOR],
            published_by=NAMES[OPERATOR],
            at="今天 · 1月7日 周一 09:00",
        )
        assert by in said(app)

    def test_a_day_in_the_past_is_refused_in_words(self, open_app, draft, clock):
        app = self.publishing(open_app, draft)
        app.session_state[f"{draft}publication"] = True
        app.date_input(key=f"{draft}day").set_value(clock().date() - timedelta(days=1)).run()
        app.session_state[f"{draft}publication"] = True
        app = opened(app, f"{draft}publish_ask")
        app.session_state[f"{draft}publication"] = True
        app.button(key=f"{draft}publish").click().run()
        assert errors(app) == [words("error.policy_day_past")]
        assert shelf().draft is not None

    def test_one_to_come_is_taken_back(self, open_app, coming):
        app = confirm(asking(open_app(PAGE, OPERATOR), of="privacy"), "withdraw_3")
        assert successes(app) == [words("policies.withdrawn")]
        assert [one.number for one in shelf().history.versions] == [2, 1]


def test_the_rules_for_complaints_are_one_click_from_complaining(open_app, clock):
    with writing() as session:
        visit_id = make_redeemed_visit(session)
    app = open_app("pages/customer/my_orders.py", ZHOU)
    app.session_state[f"complain_{visit_id}_ask"] = True
    app.run()
    assert "of=complaint_handling" in links(app)[words("complaint.handling")]
