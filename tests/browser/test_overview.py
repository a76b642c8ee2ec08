"""Where care is missing: the sentence, the map, the table and what is under them say the same."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import DESKTOP, PATIENCE_MS, PHONE

pytestmark = pytest.mark.browser
FIRST_ROW = {"x": 18, "y": 52}


@pytest.mark.parametrize(("size", "theme"), [(DESKTOP, "light"), (PHONE, "dark")])
def test_the_analyst_finds_the_largest_gap_and_what_is_missing_there(pilot, arrive, size, theme):
    analyst = arrive(pilot.url, size=size, theme=theme)
    analyst.open("overview")
    analyst.demo_sign_in("analyst")
    analyst.sees("缺口最大")
    district = analyst.key("overview_finding").locator("strong").inner_text()
    table = analyst.key("overview_table")
    expect(table.locator("[role=gridcell]").first).to_have_text(district, timeout=PATIENCE_MS)
    expect(analyst.key("overview_map").locator("canvas").first).to_be_visible(timeout=PATIENCE_MS)
    analyst.is_well()

    table.get_by_test_id("stDataFrame").click(position=FIRST_ROW, timeout=PATIENCE_MS)

    analyst.sees(f"{district}：按服务项目")
    care = analyst.key("overview_care").locator("[role=gridcell]").first
    expect(care).not_to_be_empty(timeout=PATIENCE_MS)
    analyst.is_well()

    analyst.press("overview_back")

    analyst.sees("南通市：按服务项目")
    expect(analyst.key("overview_back")).to_have_count(0, timeout=PATIENCE_MS)
