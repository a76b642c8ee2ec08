"""Rules of complaints that make no sense are not made."""

import pytest

from data.complaints import ComplaintCategory
from services.complaint_limits import ComplaintRules

HOURS = ComplaintRules().hours


@pytest.mark.parametrize(
    "wrong",
    [
        {"hours": {}},
        {"hours": {**HOURS, ComplaintCategory.SAFETY: 0}},
        {"hours": {**HOURS, ComplaintCategory.OTHER: 401}},
        {"appeal_hours": 0},
        {"due_soon_hours": 12},
        {"due_soon_hours": -1},
        {"appeal_days": 0},
        {"appeal_days": 61},
        {"most_points": 0},
        {"limit_points": 0},
        {"points_months": 0},
    ],
)
def test_impossible_ones_are_refused(wrong):
    with pytest.raises(ValueError, match=r"\w"):
        ComplaintRules(**wrong)
