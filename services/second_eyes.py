"""Second eyes: what one operator decided, another looks at again, where the city has another."""

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session

from data.accounts import Account, AccountRole, AccountStatus
from services.access import Actor, Role
from services.errors import NotAllowed


def check(
    session: Session, actor: Actor, first_id: int | None, city_code: str, sides: Collection[int]
) -> None:
    """Refuse whoever decided first, unless everybody else there is of one of the sides."""
    if actor.id != first_id:
        return
    another = (
        select(AccountRole.id)
        .join(Account, Account.id == AccountRole.account_id)
        .where(
            AccountRole.role == Role.OPERATOR,
            AccountRole.city_code == city_code,
            AccountRole.account_id.not_in({*sides, first_id}),
            Account.status == AccountStatus.ACTIVE,
        )
    )
    if session.scalar(another.limit(1)) is not None:
        raise NotAllowed("error.another_decides")
