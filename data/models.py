"""Every table, so that the metadata is complete."""

from data import (
    accounts,
    caregivers,
    catalogue,
    cities,
    demands,
    follow_ups,
    history,
    ledger,
    notices,
    orders,
    recipients,
    reviews,
    sessions,
    tasks,
)
from data.base import Base

__all__ = [
    "Base",
    "accounts",
    "caregivers",
    "catalogue",
    "cities",
    "demands",
    "follow_ups",
    "history",
    "ledger",
    "notices",
    "orders",
    "recipients",
    "reviews",
    "sessions",
    "tasks",
]
