"""Explanations as they are kept and shown: figures by their names, terms in minutes."""

from collections.abc import Mapping
from typing import Any

from services.dispatch.explaining import Candidate, Explanation
from services.dispatch.weights import Term


def explained(one: Explanation, *, pinned: bool) -> dict[str, Any]:
    """An explanation as JSON: figures by their names, terms in minutes; whether somebody laid it
    down."""
    return {
        "pinned": pinned,
        **figures(one.chosen),
        "terms": minutes(one.chosen.visit.terms),
        "rivals": [
            {
                **figures(rival.candidate),
                "caregiver_id": rival.candidate.visit.caregiver_id,
                "more": minutes(rival.more),
            }
            for rival in one.rivals
        ],
    }


def figures(one: Candidate) -> dict[str, Any]:
    """What words about a candidate are made of."""
    return {
        "price_fen": one.visit.price_fen,
        "way_minutes": round(one.visit.way_minutes, 1),
        "rating": round(one.rating, 2),
        "booked": one.booked,
        "available": one.available,
        "visits": one.visits,
        "elsewhere": one.elsewhere,
    }


def minutes(terms: Mapping[Term, float]) -> dict[str, float]:
    """Terms by their names, in minutes."""
    return {str(term): round(cost, 2) for term, cost in terms.items()}
