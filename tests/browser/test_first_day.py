"""On a city's first day nobody owes anything: the pages of money and rules say so, and are well."""

import shutil
from collections.abc import Iterator

import pytest
from sqlalchemy import update

from components.navigation import PAGES
from data.accounts import Account
from data.cities import City
from data.database import writing
from services import phones
from services.access import Role
from services.sessions import DEMO_PHONES
from tests import factories
from tests.browser.conftest import PHONE, Person
from tests.conftest import database_at
from tests.live_server import LiveServer, live_server

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]
MONEY_AND_RULES = (
    "complaints", "receipts", "invoices", "payouts", "month_end", "compliance", "rules", "policies",
    "income", "my_bill",
)  # fmt: skip
PEOPLE = {
    Role.CUSTOMER: factories.ZHOU,
    Role.CAREGIVER: factories.LI,
    Role.OPERATOR: factories.OPERATOR,
}


@pytest.fixture(scope="module")
def pilot(tmp_path_factory, sqlite_template) -> Iterator[LiveServer]:
    """The cast, who sign in as the people of the demo and have done nothing so far."""
    folder = tmp_path_factory.mktemp("first_day")
    file = folder / "cast.db"
    shutil.copy(sqlite_template, file)
    with database_at(f"sqlite:///{file}"), writing() as session:
        session.execute(update(City).values(synthetic=True))
        for role, actor in PEOPLE.items():
            phone_hash = phones.whole_hash(DEMO_PHONES[role])
            its = update(Account).where(Account.id == actor.id)
            session.execute(its.values(phone_hash=phone_hash))
    with live_server(folder, demo=file) as server:
        yield server


def open_all(person: Person, role: Role) -> None:
    for page in PAGES:
        if page.name in MONEY_AND_RULES and page.in_menu and page.opens_for(role):
            person.open(page.name)
            person.is_well()
            assert person.page.get_by_test_id("stAlertContentError").count() == 0, page.name


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("role", PEOPLE)
def test_every_page_is_well_with_nothing_on_it(signed_in, role, theme):
    open_all(signed_in(role, size=PHONE, theme=theme), role)
