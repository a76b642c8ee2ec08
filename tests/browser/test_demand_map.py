"""Where care is missing: the sentence, the map, the table and what is under them say the same."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import DESKTOP, PATIENCE_MS, PHONE

pytestmark = pytest.mark.browser
FIRST_ROW = {"x": 18, "y": 52}
A_MOMENT_MS = 3_000


def wait_for_figures(person):
    """The worker makes the figures soon after its start; until then the page says so."""
    for _ in range(PATIENCE_MS // A_MOMENT_MS):
        if person.key("figures_finding").count():
            return
        person.page.wait_for_timeout(A_MOMENT_MS)
        person.page.reload()
        person.is_well()


@pytest.mark.parametrize(("size", "theme"), [(DESKTOP, "light"), (PHONE, "dark")])
def test_the_operator_finds_the_largest_gap_and_what_lies_behind_it(pilot, arrive, size, theme):
    operator = arrive(pilot.url, size=size, theme=theme)
    operator.open("demand_map?measure=wanted_hours&care=nonsense")
    operator.demo_sign_in("operator")
    operator.sees("需求地图")
    wait_for_figures(operator)
    operator.sees("缺口最大")
    district = operator.key("figures_finding").locator("strong").inner_text()
    table = operator.key("figures_beside")
    expect(table.locator("[role=gridcell]").first).to_have_text(district, timeout=PATIENCE_MS)
    expect(operator.key("figures_map").locator("canvas").first).to_be_visible(timeout=PATIENCE_MS)
    operator.is_well()
    assert "measure=wanted_hours" in operator.page.url
    assert "nonsense" not in operator.page.url

    table.get_by_test_id("stDataFrame").click(position=FIRST_ROW, timeout=PATIENCE_MS)

    operator.sees(f"{district}：细看")
    assert "place=" in operator.page.url
    operator.is_well()

    operator.press("figures_back")

    operator.sees("南通市：细看")
    expect(operator.key("figures_back")).to_have_count(0, timeout=PATIENCE_MS)
