"""Every page of every role on a phone: readable, usable, nothing sideways, nothing from outside."""

import pytest

from components.navigation import PAGES
from services.access import Role
from tests.browser.conftest import PHONE, Person

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]


@pytest.mark.parametrize(
    ("language", "theme", "go"),
    [("zh-CN", "light", Person.open), ("en-US", "dark", Person.follow)],
    ids=["chinese-light-by-address", "english-dark-by-menu"],
)
@pytest.mark.parametrize("role", Role)
def test_every_page_is_well_on_a_phone(pilot, arrive, role, language, theme, go):
    person = arrive(pilot.url, size=PHONE, language=language, theme=theme)
    person.open("sign_in")
    person.demo_sign_in(role)
    person.cookie()

    for page in PAGES:
        if page.in_menu and page.opens_for(role):
            go(person, page.name)
            person.is_well()
            assert person.page.get_by_test_id("stAlertContentError").count() == 0, page.name
