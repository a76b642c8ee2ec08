"""What care there is, in which units and at which prices: the same for all cities."""

import re
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from data.catalogue import CareItem, CertificateKind, ItemGroup, Skill, Unit
from data.demands import Demand, DemandStatus
from data.orders import WAITING, Order, OrderStatus, Visit
from services import audit, clock
from services.access import Actor, Permission
from services.errors import Conflict, Invalid, NotFound
from services.wording import words

__all__ = ["CertificateKind", "ItemGroup", "ItemView", "Skill", "Unit", "items", "named"]

MOST_HOURS = 24
MOST_UNITS = 60
MOST_FEN = 2_000_000  # ¥20,000 a unit.
MOST_TASKS = 20
LONGEST_TASK = 60


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
    active: bool


@dataclass(frozen=True, slots=True)
class ItemForm:
    """What may change about an item; prices in fen per unit, one task a line."""

    name_zh: str
    name_en: str
    about_zh: str
    about_en: str
    lowest_fen: int
    highest_fen: int
    fewest_units: int
    most_units: int
    required_certificates: tuple[CertificateKind, ...]
    tasks_zh: str
    tasks_en: str


@dataclass(frozen=True, slots=True)
class ItemUse:
    """How many open orders, requests and demands of all cities are about an item."""

    orders: int = 0
    requests: int = 0
    demands: int = 0


def items(session: Session) -> list[ItemView]:
    """Every item that can be asked for, by group; public."""
    rows = session.scalars(select(CareItem).where(CareItem.active).order_by(CareItem.id))
    return [view(row) for row in rows]


def every_item(session: Session) -> list[ItemView]:
    """Every item there is, the withdrawn ones too: what was ordered keeps its name; public."""
    return [view(row) for row in session.scalars(_EVERY)]


_EVERY = select(CareItem).order_by(CareItem.id)


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
        active=row.active,
    )


def uses(session: Session, actor: Actor) -> dict[int, ItemUse]:
    """By item, what would go on if it were withdrawn; only those that are in use."""
    actor.require(Permission.KEEP_CATALOGUE)
    orders = _by_item(session, Order.item_id, Order.status == OrderStatus.CONFIRMED)
    requests = _by_item(session, Order.item_id, Order.status.in_(WAITING))
    demands = _by_item(
        session,
        Demand.item_id,
        (Demand.status == DemandStatus.OPEN) & (Demand.starts_at > clock.now()),
    )
    return {
        item_id: ItemUse(orders.get(item_id, 0), requests.get(item_id, 0), demands.get(item_id, 0))
        for item_id in orders.keys() | requests.keys() | demands.keys()
    }


def add(
    session: Session,
    actor: Actor,
    group: ItemGroup,
    unit: Unit,
    hours_per_unit: int,
    form: ItemForm,
) -> int:
    """Add an item; its code is made from its English name. Returns its id."""
    actor.require(Permission.KEEP_CATALOGUE)
    values = _checked(session, form, None)
    _check_range("hours_per_unit", hours_per_unit, 1, MOST_HOURS)
    item = CareItem(
        created_at=clock.now(),
        code=_code(session, str(values["name_en"])),
        group=group,
        unit=unit,
        hours_per_unit=hours_per_unit,
        **values,
    )
    session.add(item)
    session.flush()
    audit.record(session, actor, "add_item", "care_item", item.id, code=item.code)
    return item.id


def change(session: Session, actor: Actor, item_id: int, form: ItemForm) -> None:
    """Change an item; orders and demands keep the prices they were made with."""
    actor.require(Permission.KEEP_CATALOGUE)
    item = _reach(session, item_id)
    values = _checked(session, form, item)
    changed = {field: value for field, value in values.items() if getattr(item, field) != value}
    if not changed:
        return
    if changed.keys() & {"tasks_zh", "tasks_en"}:
        _check_numbering(session, item, form)
    before = {field: getattr(item, field) for field in changed}
    for field, value in changed.items():
        setattr(item, field, value)
    audit.record(session, actor, "change_item", "care_item", item.id, before=before, after=changed)


def withdraw(session: Session, actor: Actor, item_id: int) -> None:
    """Offer an item no more; what was asked for goes on."""
    actor.require(Permission.KEEP_CATALOGUE)
    _offer(session, actor, item_id, offered=False)


def restore(session: Session, actor: Actor, item_id: int) -> None:
    """Offer a withdrawn item again."""
    actor.require(Permission.KEEP_CATALOGUE)
    _offer(session, actor, item_id, offered=True)


def _offer(session: Session, actor: Actor, item_id: int, *, offered: bool) -> None:
    item = _reach(session, item_id)
    if item.active == offered:
        raise Conflict("error.changed_meanwhile")
    item.active = offered
    done = "restore_item" if offered else "withdraw_item"
    audit.record(session, actor, done, "care_item", item.id, code=item.code)


def _checked(session: Session, form: ItemForm, item: CareItem | None) -> dict[str, object]:
    """The form's values as the row keeps them, or a refusal."""
    values: dict[str, object] = {
        "name_zh": words(form.name_zh, "name_zh", 40),
        "name_en": words(form.name_en, "name_en", 60),
        "about_zh": words(form.about_zh, "about_zh", 200),
        "about_en": words(form.about_en, "about_en", 300),
    }
    _check_names(session, values, item)
    if form.lowest_fen > form.highest_fen:
        raise Invalid("error.price_upside_down")
    if not 0 < form.lowest_fen <= form.highest_fen <= MOST_FEN:
        raise Invalid("error.price_out_of_range", lowest_fen=100, highest_fen=MOST_FEN)
    if form.lowest_fen % 100 or form.highest_fen % 100:
        raise Invalid("error.price_whole_yuan")
    if form.fewest_units > form.most_units:
        raise Invalid("error.units_upside_down")
    _check_range("fewest_units", form.fewest_units, 1, MOST_UNITS)
    _check_range("most_units", form.most_units, 1, MOST_UNITS)
    if not form.required_certificates:
        raise Invalid("error.missing", field="required_certificates")
    tasks_zh, tasks_en = _tasks(form.tasks_zh, "tasks_zh"), _tasks(form.tasks_en, "tasks_en")
    if len(tasks_zh) != len(tasks_en):
        raise Invalid("error.task_lines_differ", chinese=len(tasks_zh), english=len(tasks_en))
    return values | {
        "lowest_fen": form.lowest_fen,
        "highest_fen": form.highest_fen,
        "fewest_units": form.fewest_units,
        "most_units": form.most_units,
        "required_certificates": [str(kind) for kind in form.required_certificates],
        "tasks_zh": tasks_zh,
        "tasks_en": tasks_en,
    }


def _check_names(session: Session, values: dict[str, object], item: CareItem | None) -> None:
    """An English name has Latin letters, for the code; no two items share a name."""
    if not _slug(str(values["name_en"])):
        raise Invalid("error.not_english", field="name_en")
    same = select(CareItem.id).where(
        or_(CareItem.name_zh == values["name_zh"], CareItem.name_en == values["name_en"]),
        CareItem.id != (item.id if item else 0),
    )
    if session.scalar(same.limit(1)) is not None:
        raise Conflict("error.item_exists")


def _check_numbering(session: Session, item: CareItem, form: ItemForm) -> None:
    """Reports name tasks by their numbers: none may vanish or move once there is a report."""
    reported = (
        select(Visit.id)
        .join(Order, Order.id == Visit.order_id)
        .where(Order.item_id == item.id, Visit.checked_in_at.is_not(None))
    )
    if session.scalar(reported.limit(1)) is None:
        return
    typed = _tasks(form.tasks_zh, "tasks_zh"), _tasks(form.tasks_en, "tasks_en")
    for kept, wanted in zip((item.tasks_zh, item.tasks_en), typed, strict=True):
        moved = any(
            task in wanted and wanted.index(task) != number for number, task in enumerate(kept)
        )
        if moved or len(wanted) < len(kept):
            raise Conflict("error.tasks_reported")


def _check_range(field: str, value: int, fewest: int, most: int) -> None:
    if not fewest <= value <= most:
        raise Invalid("error.number_out_of_range", field=field, fewest=fewest, most=most)


def _tasks(typed: str, field: str) -> list[str]:
    """One task a line, empty lines left out."""
    lines = [words(line, field, LONGEST_TASK) for line in typed.splitlines() if line.strip()]
    if not lines:
        raise Invalid("error.missing", field=field)
    if len(lines) > MOST_TASKS:
        raise Invalid("error.too_many_lines", field=field, most=MOST_TASKS)
    return lines


def _slug(name: str) -> str:
    """Hospital companion -> hospital_companion; room is left for a number."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")[:36].strip("_")


def _code(session: Session, name_en: str) -> str:
    """A code that no item has yet."""
    slug = _slug(name_en)
    taken = set(session.scalars(select(CareItem.code).where(CareItem.code.startswith(slug))))
    return next(
        code
        for code in (slug, *(f"{slug}_{number}" for number in range(2, len(taken) + 3)))
        if code not in taken
    )


def _by_item(
    session: Session, item_id: InstrumentedAttribute[int], condition: ColumnElement[bool]
) -> dict[int, int]:
    counted = session.execute(select(item_id, func.count()).where(condition).group_by(item_id))
    return dict(counted.all())


def _reach(session: Session, item_id: int) -> CareItem:
    """Every operator keeps the one catalogue of all cities."""
    item = session.scalar(select(CareItem).where(CareItem.id == item_id).with_for_update())
    if item is None:
        raise NotFound("error.item_not_found")
    return item
