"""Care items: looked up, chosen and shown."""

import streamlit as st

from components import formats, icons, session
from components.i18n import name, t
from services import catalogue
from services.catalogue import ItemGroup, ItemView


def items() -> dict[int, ItemView]:
    """Every item by id, the withdrawn ones too: what was ordered keeps its name."""
    return {item.id: item for item in session.public(catalogue.every_item)}


def offered(items: dict[int, ItemView]) -> dict[int, ItemView]:
    """The items that can be asked for, by id."""
    return {item.id: item for item in items.values() if item.active}


def item_name(items: dict[int, ItemView], item_id: int) -> str:
    """An item's name; one that is not in the catalogue has none."""
    return name(items[item_id]) if item_id in items else t("catalogue.withdrawn")


def item_choice(items: dict[int, ItemView], key: str) -> ItemView:
    """Choose a group, then one of its items.

    One chosen before it was withdrawn stays chosen: it is refused in words, never exchanged.
    """
    chosen_before = {st.session_state.get(f"{key}_item_{group}") for group in ItemGroup}
    choosable = [item for item in items.values() if item.active or item.id in chosen_before]
    groups = [group for group in ItemGroup if any(item.group is group for item in choosable)]
    if not groups:
        st.info(t("catalogue.nothing"))
        st.stop()
    group = st.segmented_control(
        t("catalogue.group"),
        groups,
        format_func=lambda one: f"{icons.GROUP[one]} {t(f'group.{one}')}",
        default=None if f"{key}_group" in st.session_state else groups[0],
        required=True,
        key=f"{key}_group",
        width="stretch",
    )
    of_group = [item.id for item in choosable if item.group == group]
    chosen = st.selectbox(
        t("field.item"),
        of_group,
        format_func=lambda item_id: name(items[item_id]),
        key=f"{key}_item_{group}",
    )
    item = items[chosen]
    st.caption(f"{formats.about(item)} {item_price(item)}")
    return item


def item_price(item: ItemView) -> str:
    """What the item costs per unit."""
    return formats.price_range(item.lowest_fen, item.highest_fen, item.unit)


def price_list(items: dict[int, ItemView]) -> None:
    """The whole catalogue as cards, group by group."""
    for group in ItemGroup:
        st.subheader(f"{icons.GROUP[group]} {t(f'group.{group}')}", anchor=False)
        with st.grid("auto", min_column_width=260):
            for item in offered(items).values():
                if item.group is group:
                    with st.container(border=True, height="stretch", gap="small"):
                        st.markdown(f"**{name(item)}**")
                        st.caption(formats.about(item))
                        st.markdown(f":primary[**{item_price(item)}**]")
