"""What care there is, in which units and at which prices."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from data.catalogue import CareItem, CertificateKind, ItemGroup, Skill, Unit
from services.errors import NotFound

__all__ = ["CertificateKind", "ItemGroup", "ItemView", "Skill", "Unit", "items", "named"]


@dataclass(frozen=True, slots=True)
class ItemView:
    """One item; prices in fen per unit."""

    id: int
    code: str
    group: ItemGroup
    unit: Unit
    hours_per_unit: int
    fewest_units: int
    most_units: int
    lowest_fen: int
    highest_fen: int
    name_zh: str
    name_en: str
    about_zh: str
    about_en: str
    required_certificates: tuple[CertificateKind, ...]
    tasks_zh: tuple[str, ...]
    tasks_en: tuple[str, ...]


def items(session: Session) -> list[ItemView]:
    """Every item that can be asked for, by group; public."""
    rows = session.scalars(select(CareItem).where(CareItem.active).order_by(CareItem.id))
    return [view(row) for row in rows]


def named(session: Session, item_id: int) -> CareItem:
    """An item that can be asked for, or a refusal."""
    item = session.get(CareItem, item_id)
    if item is None or not item.active:
        raise NotFound("error.item_not_found")
    return item


def view(row: CareItem) -> ItemView:
    """The item as pages see it."""
    return ItemView(
        id=row.id,
        code=row.code,
        group=row.group,
        unit=row.unit,
        hours_per_unit=row.hours_per_unit,
        fewest_units=row.fewest_units,
        most_units=row.most_units,
        lowest_fen=row.lowest_fen,
        highest_fen=row.highest_fen,
        name_zh=row.name_zh,
        name_en=row.name_en,
        about_zh=row.about_zh,
        about_en=row.about_en,
        required_certificates=tuple(CertificateKind(kind) for kind in row.required_certificates),
        tasks_zh=tuple(row.tasks_zh),
        tasks_en=tuple(row.tasks_en),
    )
