"""Faces: how many caregivers a recipient gets to see in a month, and who sees most of them."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import timedelta
from statistics import mean

from sqlalchemy import select
from sqlalchemy.orm import Session

from data.accounts import Account
from data.orders import Order, Visit
from services import clock
from services.access import Actor, Permission
from services.board.workforce import DONE
from services.errors import NotFound

A_MONTH = timedelta(weeks=4)
# With one visit there is one face, however well it is planned; two faces are no worry yet.
FEWEST_VISITS = 2
_MANY = 3
_MOST_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Family:
    """A recipient, by the name of who cares for them, with the visits and faces of last month."""

    customer_id: int
    name: str
    visits: int
    faces: int


@dataclass(frozen=True, slots=True)
class Faces:
    """Of how many recipients' months how many faces were seen, the mean of it, and who saw most."""

    counts: dict[int, int]
    mean: float
    most: tuple[Family, ...]


def seen(session: Session, actor: Actor, city_code: str, months: int) -> Faces:
    """The faces seen in a city in so many months of four weeks each.

    Told of recipients who had more visits than one in a month.
    """
    actor.require(Permission.DISPATCH)
    if city_code not in actor.cities:
        raise NotFound("error.city_not_found")
    now = clock.now()
    came = defaultdict[tuple[int, int], list[int]](list)
    families = dict[int, tuple[int, str]]()
    for recipient_id, customer_id, name, caregiver_id, starts_at in session.execute(
        select(
            Order.recipient_id, Order.customer_id, Account.name, Visit.caregiver_id, Visit.starts_at
        )
        .join(Order, Order.id == Visit.order_id)
        .join(Account, Account.id == Order.customer_id)
        .where(
            Order.city_code == city_code,
            Visit.status.in_(DONE),
            Visit.starts_at > now - months * A_MONTH,
            Visit.starts_at <= now,
        )
    ):
        came[(now - starts_at) // A_MONTH, recipient_id].append(caregiver_id)
        families[recipient_id] = customer_id, name
    told = {key: who for key, who in came.items() if len(who) >= FEWEST_VISITS}
    counts = Counter(len(set(who)) for who in told.values())
    most = [
        Family(*families[recipient_id], len(who), len(set(who)))
        for (month, recipient_id), who in told.items()
        if not month and len(set(who)) >= _MANY
    ]
    most.sort(key=lambda one: (-one.faces, one.visits, one.name))
    return Faces(
        dict(sorted(counts.items())),
        mean(counts.elements()) if counts else 0.0,
        tuple(most[:_MOST_SHOWN]),
    )
