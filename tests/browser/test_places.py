"""Saying where: the browser's location and the map of neighbourhoods, both without internet."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PATIENCE_MS, PHONE

pytestmark = pytest.mark.browser
RUGAO_TOWN = {"longitude": 120.56, "latitude": 32.38}
SHANGHAI = {"longitude": 121.47, "latitude": 31.23}


def test_the_browsers_location_chooses_the_district(pilot, arrive):
    daughter = arrive(pilot.url, size=PHONE)
    daughter.page.context.grant_permissions(["geolocation"])
    daughter.page.context.set_geolocation(RUGAO_TOWN)
    daughter.open("post_demand")
    daughter.demo_sign_in("customer")
    expect(daughter.key("demand_locate").locator("button")).to_have_text(
        "用我现在的位置", timeout=PATIENCE_MS
    )

    daughter.press("demand_locate")

    daughter.sees("已按您现在的位置选好区县")
    expect(daughter.key("demand_district_320600").locator("input").first).to_have_value("如皋市")
    daughter.is_well()


def test_a_location_outside_the_city_is_refused_in_words(pilot, arrive):
    daughter = arrive(pilot.url)
    daughter.page.context.grant_permissions(["geolocation"])
    daughter.page.context.set_geolocation(SHANGHAI)
    daughter.open("post_demand")
    daughter.demo_sign_in("customer")
    expect(daughter.key("demand_locate").locator("button")).to_have_text(
        "用我现在的位置", timeout=PATIENCE_MS
    )

    daughter.press("demand_locate")

    daughter.sees("您现在不在南通市范围内")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_tap_on_the_map_chooses_a_neighbourhood(pilot, arrive, theme):
    daughter = arrive(pilot.url, theme=theme)
    daughter.open("post_demand")
    daughter.demo_sign_in("customer")
    daughter.unfold("demand_map")
    canvas = daughter.key("demand_map").locator("canvas").first
    canvas.scroll_into_view_if_needed(timeout=PATIENCE_MS)
    canvas.hover(timeout=PATIENCE_MS)
    daughter.page.wait_for_timeout(2000)  # The map draws itself on the processor.

    canvas.click(timeout=PATIENCE_MS)

    daughter.sees("已选好大致位置")
    daughter.is_well()
