from tests.factories import *
import pytest
@pytest.mark.parametrize("n",range(8))
def test_made(session,n):
    make_redeemed_visit(session)
