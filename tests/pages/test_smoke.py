from data.database import writing
from tests.factories import *
import pytest
@pytest.mark.parametrize("who,page",[(ZHOU,"pages/customer/my_orders.py"),(LI,"pages/caregiver/my_visits.py"),(None,"pages/caregiver/my_visits.py")])
def test_page(open_app,who,page):
    with writing() as session:
        make_redeemed_visit(session)
    app = open_app(page, who)
    assert not app.exception
    print([t.value for t in app.title],[e.value for e in app.error])
