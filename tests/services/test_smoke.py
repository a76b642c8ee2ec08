from tests.factories import *
def test_made(session):
    make_redeemed_visit(session)
