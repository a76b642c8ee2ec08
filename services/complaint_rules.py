"""The rules of complaints that are in force in a city."""

from sqlalchemy.orm import Session

from services import rule_book, rules
from services.complaint_limits import LONGEST_APPEAL, ComplaintRules

__all__ = ["LONGEST_APPEAL", "ComplaintRules"]


def of(session: Session, city_code: str) -> ComplaintRules:
    """The rules in force in a city today."""
    return rule_book.complaints(rules.now(session, city_code))
