"""Findings as operators and analysts see them, the views they keep and the files they take."""

import csv
import io
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace

import pandas as pd
import pytest

from components.figures import extracts as drawn
from components.figures import findings as cards
from data.database import reading, writing
from services import extracts, saved_views
from services.analytics import figures
from services.analytics.figures import Frame
from services.analytics.findings import OPPORTUNITIES, Against, Kind, Remedy
from tests.factories import ANALYST, NANTONG, OPERATOR
from tests.pages.screen import errors, opened, said, speak_english, words
from tests.services.analytics.towns import DISTRICTS, LAST_DAY, now, publish, town

FINDINGS, MAP = "pages/analyst/findings.py", "pages/analyst/demand_map.py"
HERE = DISTRICTS[0]
_FRAME_OF = {table: frame for frame, table in figures._ROLLUPS.items()}


def read(cells, cities, first, last):
    if cells is None:
        return pd.DataFrame(columns=["day", "weeks", "city"])
    days = pd.to_datetime(cells["day"]).dt.date
    return cells[(days >= first) & (days <= last) & cells["city"].isin(list(cities))]


@pytest.fixture
def show(monkeypatch, request):
    """Let the pages read these cells, live or published."""

    def show(cells, smallest_cell=None):
        told = dict(cells)
        needs = told[Frame.NEEDS]
        told[Frame.NEEDS] = needs.assign(
            item="x", matched=needs["served"], served_hours=needs["served"] * 3,
            wait_hours=5.0, price_fen=6000,
        )  # fmt: skip
        version = f"{request.node.nodeid} {smallest_cell}"
        at = datetime.combine(LAST_DAY, datetime.min.time(), UTC) + timedelta(days=1)
        rollups, sheets = figures.rollups, figures.sheets
        newest = SimpleNamespace(
            published_at=at, last_day=LAST_DAY, version=version, smallest_cell=smallest_cell
        )
        for module, name, answer in (
            (rollups, "standing", lambda: (at, version)),
            (rollups, "read", lambda table, *of: read(told.get(_FRAME_OF[table]), *of)),
            (sheets, "newest", lambda session, cities: newest),
            (
                sheets,
                "read",
                lambda session, cities, sheet, *span: read(
                    told.get({v: k for k, v in figures._SHEETS.items()}[sheet]), cities, *span
                ),
            ),
        ):
            monkeypatch.setattr(module, name, answer, raising=False)

    return show


def at(app, place):
    """Look at another place."""
    return app.selectbox(key="view_place").set_value(place).run()


@pytest.fixture
def rising(show):
    show(town(1, weeks=17, demand=lambda day, at, group: 2.4 if now(day) and at == HERE else 1))


def test_what_stands_out_is_said_with_what_to_do_and_how_surely(open_app, rising):
    app = open_app(FINDINGS, OPERATOR)

    assert not app.exception
    text = said(app)
    assert "崇川区的需求从每周" in text
    assert "趁热在崇川区的社区医院和小区公告栏宣传" in text
    assert words("finding.sure") in text
    assert words("finding.how") in text
    [caption] = [one for one in app.caption if words("finding.sure") in one.value]
    assert "Benjamini–Hochberg" in caption.help
    assert words("finding.no_season") in caption.help


def test_a_link_leads_to_more_of_that_very_view(open_app, rising):
    app = open_app(FINDINGS, OPERATOR)

    [link] = [one.proto for one in app.get("page_link") if one.proto.label == words("page.demand")]
    asked = dict(pair.split("=") for pair in link.query_string.lstrip("?").split("&"))
    assert asked == {"place": HERE, "care": "all", "period": "months_3"}


def test_more_is_told_of_each_kind_in_one_place():
    assert set(cards._PAGES) | set(cards._MEASURES) == set(Kind)
    assert not set(cards._PAGES) & set(cards._MEASURES)


def test_another_place_has_other_findings(open_app, rising):
    app = at(open_app(FINDINGS, OPERATOR), DISTRICTS[1])

    assert not app.exception
    assert "崇川区的需求" not in said(app)
    assert words("finding.none_here", count=1) in said(app)


def test_nothing_that_stands_out_is_said_in_words(open_app, show):
    show(town(30, weeks=17))

    assert words("empty.findings") in said(open_app(FINDINGS, OPERATOR))


def test_too_little_is_said_with_what_is_missing(open_app, show):
    show(town(31, weeks=6))
    app = open_app(FINDINGS, OPERATOR)

    assert words("finding.lacking_weeks", place="南通市", weeks=3) in said(app)
    assert words("empty.findings_lacking") in said(app)
    assert words("empty.findings") not in said(app)


def test_analysts_see_what_is_published(open_app, show):
    live = town(
        17, rate=25, demand=lambda day, at, group: 2.2 if now(day) and at == HERE else 1,
        offered=lambda day, at, part: 120,
    )  # fmt: skip
    show(publish(live), 5)
    app = open_app(FINDINGS, ANALYST)

    assert not app.exception
    assert "崇川区的需求从每周" in said(app)
    assert words("figures.privacy", smallest=5) in said(app)


def test_it_speaks_english(open_app, rising):
    app = speak_english(open_app(FINDINGS, OPERATOR))

    assert app.title[0].value == "Findings"
    assert "In Chongchuan, the needs rose from" in said(app)


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("place", ["city", "district"])
def test_every_kind_has_its_sentence_and_its_advice(kind, place):
    buckets = {
        Kind.HANDS_SHORT: ["morning", "morning|afternoon"],
        Kind.OBSTACLE: list(Remedy),
        Kind.STEP_LOST: ["joined", "reviewed"],
        Kind.CHANNEL_GROWS: ["app", "phone"],
        Kind.AGE_GROWS: ["0_2", "3_17", "40_49", "80"],
    }.get(kind, [None])
    against = (
        [Against.ELSEWHERE, Against.NEXT_REASON] if kind is Kind.OBSTACLE else [Against.BEFORE]
    )
    for bucket, compared in ((bucket, one) for bucket in buckets for one in against):
        one = cards.Finding(
            kind=kind, against=compared, city=NANTONG, bucket=bucket, now=0.5, other=0.25, p=0.004,
            district=HERE if place == "district" else None, group="elderly", size=12.2,
            days=(LAST_DAY,), line=(0.5,), since=LAST_DAY, now_since=LAST_DAY, until=LAST_DAY,
            when="weekend_morning",
        )  # fmt: skip

        sentence, advice = cards._said(one), cards._advice(one)

        name = "崇川区" if place == "district" else "南通市"
        assert name in sentence
        assert advice.endswith("。")
        assert not {"{", "None"} & {*sentence, *advice}
        assert one.opportunity == (kind in OPPORTUNITIES)


class TestSavedViews:
    def test_one_is_kept_listed_opened_and_removed(self, open_app, rising):
        app = opened(at(open_app(MAP, OPERATOR), HERE), "saved_views")
        app.text_input(key="saved_view_name").set_value("崇川 *粗*")
        app.button(key="save_view").click().run()
        assert words("saved_views.saved") in [one.value for one in app.success]
        with reading() as session:
            [view] = saved_views.mine(session, OPERATOR)
        assert (view.page, view.query) == ("demand_map", {"place": HERE})

        app = opened(open_app(FINDINGS, OPERATOR), "saved_views")
        button = app.button(key=f"open_view_{view.id}")
        assert "崇川 \\*粗\\*" in button.label
        button.click().run()
        assert not app.exception
        assert app.title[0].value == words("page.demand_map")
        assert app.selectbox(key="view_place").value == HERE

        app = opened(open_app(MAP, OPERATOR), "saved_views")
        app.button(key=f"remove_view_{view.id}").click().run()
        with reading() as session:
            assert saved_views.mine(session, OPERATOR) == []

    def test_what_it_does_not_name_is_as_it_would_be_anyway(self, open_app, rising):
        with writing() as session:
            saved_views.save(session, OPERATOR, "findings", "全市", {})
            session.flush()
            [view] = saved_views.mine(session, OPERATOR)
        app = opened(at(open_app(FINDINGS, OPERATOR), HERE), "saved_views")

        app.button(key=f"open_view_{view.id}").click().run()

        assert app.selectbox(key="view_place").value == NANTONG

    def test_one_without_a_name_is_refused(self, open_app, rising):
        app = opened(open_app(FINDINGS, OPERATOR), "saved_views")

        app.button(key="save_view").click().run()

        assert errors(app) == [words("error.missing", field=words("field.view_name"))]


class TestExport:
    @pytest.fixture
    def made(self, monkeypatch):
        """The files that pages had made."""
        files = []
        prepare = extracts.prepare

        def noted(session, actor, page, content, scope):
            files.append((page, content.decode("utf-8-sig"), scope))
            return prepare(session, actor, page, content, scope)

        monkeypatch.setattr(extracts, "prepare", noted)
        monkeypatch.setattr(drawn.session, "without_routes", lambda: False)
        return files

    def test_a_page_tells_its_view_under_its_rule(self, open_app, rising, made):
        app = opened(at(open_app(MAP, OPERATOR), HERE), "extract")

        app.button(key="make_extract").click().run()

        assert not app.exception
        [(page, text, scope)] = made
        lines = list(csv.reader(io.StringIO(text)))
        assert "崇川区" in lines[0][0]
        assert "2026-11-30" in lines[0][0]
        assert lines[1] == [words("extracts.rule_live")]
        assert [words("extracts.needs")] in lines
        places = {line[3] for line in lines if len(line) == 12 and line[0][:2] == "20"}
        assert places == {"崇川区"}
        assert (page, scope.place, scope.published) == ("demand_map", HERE, False)
        assert scope.rows == sum(line[:1] != [] and line[0][:3] == "202" for line in lines)

    def test_findings_are_told_as_sentences(self, open_app, rising, made):
        app = opened(open_app(FINDINGS, OPERATOR), "extract")

        app.button(key="make_extract").click().run()

        [(_, text, _)] = made
        *_, line = csv.reader(io.StringIO(text))
        assert line[0] == words("finding.opportunity")
        assert line[1].startswith("崇川区的需求")
        assert 0 < float(line[5]) < 0.05

    def test_analysts_take_published_cells_only(self, open_app, show, made):
        show(publish(town(32, rate=20)), 5)
        app = opened(open_app(MAP, ANALYST), "extract")

        app.button(key="make_extract").click().run()

        [(_, text, scope)] = made
        assert words("extracts.rule_published", smallest=5) in text
        assert scope.published

    def test_too_many_rows_are_refused_in_words(self, open_app, rising, made, monkeypatch):
        monkeypatch.setattr(drawn, "MOST_ROWS", 3)
        app = opened(open_app(MAP, OPERATOR), "extract")

        app.button(key="make_extract").click().run()

        assert made == []
        assert [one.value for one in app.warning] == [words("extracts.too_many")]

    def test_nothing_passes_through_streamlits_media(self, open_app, rising, made):
        app = opened(open_app(FINDINGS, OPERATOR), "extract")

        app.button(key="make_extract").click().run()

        assert not app.get("download_button")

    @pytest.mark.parametrize("typed", ["=1+1", "+1", "-1", "@x", "\tx", "\rx"])
    def test_no_text_is_taken_for_a_formula(self, typed):
        assert drawn.safe(typed) == f"'{typed}"

    def test_numbers_stay_numbers(self):
        assert (drawn.safe(-1), drawn.safe(0.5), drawn.safe("南通")) == (-1, 0.5, "南通")

    def test_every_column_and_code_has_its_word(self):
        rows = pd.DataFrame(
            [
                {"day": date(2026, 11, 2), "weeks": 4, "city": NANTONG, "district": None,
                 "item_group": "elderly", "dimension": dimension, "bucket": bucket, "needs": 5.0}
                for dimension, bucket in {
                    "age": "70_79|80", "sex": "female", "channel": "phone", "hour": "6_morning",
                    "urgency": "under_6h", "price": "low", "home": HERE,
                }.items()
            ]
        )  # fmt: skip
        head = {"place": "南通市", "first": "", "last": "", "as_of": "", "smallest": None}

        text = drawn.written("demand_map", head, {"groups": rows}).decode("utf-8-sig")

        told = [line[6] for line in csv.reader(io.StringIO(text)) if line[:1] == ["2026-11-02"]]
        assert told == [
            "70–79 岁、80 岁及以上", "女", "电话下单", "周日 上午 6–12 点", "不到 6 小时", "偏低",
            "崇川区",
        ]  # fmt: skip
