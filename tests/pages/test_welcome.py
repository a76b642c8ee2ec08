"""The front door: open to everybody, and about nobody."""

import re

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from components.catalogues import LANGUAGES, say
from data.cities import City, CityStatus
from data.database import reading, writing
from data.footfalls import Footfall
from services import catalogue, footfalls
from tests.factories import (
    ANALYST,
    DESK,
    LI,
    LUZHOU,
    NAMES,
    NANTONG,
    OPERATOR,
    ZHOU,
    make_order,
    make_redeemed_visit,
)
from tests.pages.screen import keys, said, speak_english, words

PAGE = "pages/public/welcome.py"
HEADINGS = {
    "zh_CN": ("CarePilot 陪护服务协议（试点版）", "隐私说明（试点版）"),
    "en": ("CarePilot service agreement (pilot)", "Privacy notice (pilot)"),
}


def items():
    with reading() as session:
        return catalogue.items(session)


def set_city(code, **changes):
    with writing() as session:
        city = session.query(City).filter_by(code=code).one()
        for name, value in changes.items():
            setattr(city, name, value)


@pytest.mark.parametrize("actor", [None, ZHOU, LI, DESK, OPERATOR, ANALYST])
def test_it_opens_for_everybody(open_app, opened, actor):
    app = open_app(PAGE, actor)
    assert not app.exception
    assert not app.error
    assert opened[-1] == "welcome"
    assert app.title[0].value == words("welcome.title")


def test_nobody_is_shown_the_way_in(open_app, opened):
    app = open_app(PAGE, None)
    app.button(key="open_sign_in").click().run()
    assert opened[-1] == "sign_in"


@pytest.mark.parametrize(
    ("actor", "landing"),
    [(ZHOU, "my_orders"), (LI, "task_hall"), (DESK, "take_call"), (OPERATOR, "today")],
)
def test_who_is_in_goes_on_to_their_own_page(open_app, opened, actor, landing):
    app = open_app(PAGE, actor)
    assert "open_sign_in" not in keys(app)
    app.button(key="open_landing").click().run()
    assert opened[-1] == landing


def test_every_opened_city_is_named_with_its_hotline(open_app):
    set_city(NANTONG, hotline="0513-1234-5678")
    set_city(LUZHOU, status=CityStatus.PAUSED, hotline="0830-8765-4321")
    page = said(open_app(PAGE, None))
    assert "江苏省 南通市" in page
    assert words("welcome.call", phone="0513-1234-5678") in page
    assert "四川省 泸州市" in page
    assert words("welcome.call", phone="0830-8765-4321") in page
    assert words("city_status.open") in page
    assert words("city_status.paused") in page


def test_a_closed_city_is_not_named(open_app):
    set_city(LUZHOU, status=CityStatus.CLOSED)
    page = said(open_app(PAGE, None))
    assert "泸州" not in page
    assert "南通" in page


def openings():
    with reading() as session:
        counted = session.execute(select(Footfall.city_code, Footfall.opened))
        return dict(counted.all())


def test_a_tab_is_counted_once_for_the_city_its_link_names(open_app):
    app = open_app(PAGE, None, city=LUZHOU)
    app.run()
    speak_english(app)
    assert openings() == {LUZHOU: 1}
    open_app(PAGE, None, city=LUZHOU)
    assert openings() == {LUZHOU: 2}


@pytest.mark.parametrize("link", ["", "110100", "<script>", "320600320600"])
def test_without_one_it_is_counted_where_only_one_city_is_opened(open_app, link):
    open_app(PAGE, None, city=link)
    assert openings() == {}
    set_city(LUZHOU, status=CityStatus.CLOSED)
    open_app(PAGE, None, city=link)
    assert openings() == {NANTONG: 1}


@pytest.mark.parametrize("actor", [ZHOU, OPERATOR])
def test_who_is_in_already_is_not_counted(open_app, actor):
    open_app(PAGE, actor, city=NANTONG)
    assert openings() == {}


def test_where_nothing_can_be_written_the_page_opens_all_the_same(open_app, monkeypatch, caplog):
    def refuse(*_):
        raise OperationalError("INSERT", {}, Exception("attempt to write a readonly database"))

    monkeypatch.setattr(footfalls, "note", refuse)
    app = open_app(PAGE, None, city=NANTONG)
    assert (len(app.error), len(app.exception)) == (0, 0)
    assert "footfall was not done" in caplog.text


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_item_is_listed_with_its_price(open_app, language):
    app = open_app(PAGE, None)
    if language == "en":
        speak_english(app)
    shown = [markdown.value for markdown in app.main.markdown]
    assert len(items()) >= 10
    for item in items():
        name = item.name_zh if language == "zh_CN" else item.name_en
        price = shown[shown.index(f"**{name}**") + 1 :][0]
        lowest, highest = item.lowest_fen // 100, item.highest_fen // 100
        unit = say(language, f"unit.{item.unit}")
        assert price == f":primary[**¥{lowest}–{highest:,}/{unit}**]"


def test_no_person_is_named_whatever_happened(open_app):
    with writing() as session:
        make_order(session)
        make_redeemed_visit(session)
    page = said(open_app(PAGE, None))
    assert not [name for name in [*NAMES.values(), "周奶奶"] if name in page]
    assert not re.search(r"1\d{10}|1\d{2}\*{4}", page)


@pytest.mark.parametrize("language", LANGUAGES)
def test_agreement_and_privacy_are_there_whole(open_app, language):
    app = open_app(PAGE, None)
    if language == "en":
        speak_english(app)
    labels = [expander.label for expander in app.expander]
    assert labels == [say(language, "welcome.agreement"), say(language, "welcome.privacy")]
    for expander, heading in zip(app.expander, HEADINGS[language], strict=True):
        (document,) = expander.markdown
        assert document.value.startswith(f"**{heading}**")
        assert len(document.value.splitlines()) > 5


@pytest.mark.parametrize("mode", ["demo", "production"])
def test_only_a_demo_says_that_nobody_is_real(open_app, monkeypatch, mode):
    monkeypatch.setenv("CAREPILOT_MODE", mode)
    page = said(open_app(PAGE, None))
    assert (words("frame.demo") in page) == (mode == "demo")
