"""The catalogue as operators keep it: all items in a table, one of them in full."""

import streamlit as st

from components import catalogue, formats, icons, layout, session, tables
from components.i18n import chinese, name, t
from services import catalogue as services
from services.catalogue import CertificateKind, ItemForm, ItemGroup, ItemUse, ItemView, Unit

_NEW = "new_item"
_USUAL_FEN = 4000, 9000
_USUAL_UNITS = 2, 12
_GROUP_COLOURS = {
    ItemGroup.MEDICAL: "blue",
    ItemGroup.ELDERLY: "green",
    ItemGroup.MATERNITY: "orange",
}


def item_table(items: dict[int, ItemView], uses: dict[int, ItemUse]) -> ItemView | None:
    """All items by group; the one that was clicked is returned."""
    if not items:
        layout.empty("catalogue", icon=":material/menu_book:")
        return None
    groups = list(ItemGroup)
    shown = sorted(items.values(), key=lambda item: (groups.index(item.group), item.id))
    used = [uses.get(item.id, ItemUse()) for item in shown]
    column = st.column_config
    return tables.chosen(
        shown,
        {
            "group": [[t(f"group.{item.group}")] for item in shown],
            "name": [name(item) for item in shown],
            "status": [_status(item) for item in shown],
            "price": [catalogue.item_price(item) for item in shown],
            "certificates": [_certificates(item) for item in shown],
            "orders": [use.orders + use.requests for use in used],
            "demands": [use.demands for use in used],
        },
        {
            "group": column.MultiselectColumn(
                t("catalogue.group"),
                options=[t(f"group.{group}") for group in groups],
                color=[_GROUP_COLOURS[group] for group in groups],
            ),
            "name": column.TextColumn(t("field.item"), width=180),
            "status": column.TextColumn(t("catalogue_page.status"), width="small"),
            "price": column.TextColumn(t("catalogue_page.price")),
            "certificates": column.TextColumn(t("field.required_certificates"), width=270),
            "orders": column.NumberColumn(t("catalogue_page.orders"), width="small"),
            "demands": column.NumberColumn(t("catalogue_page.demands"), width="small"),
        },
        key="catalogue",
        alt=t("catalogue_page.table"),
    )


def _status(item: ItemView) -> str:
    return t("catalogue_page.active") if item.active else t("catalogue_page.withdrawn")


def _certificates(item: ItemView) -> str:
    separator = "、" if chinese() else ", "
    return separator.join(t(f"certificate.{kind}") for kind in item.required_certificates)


def item_in_full(item: ItemView, uses: dict[int, ItemUse]) -> None:
    """One item: offered or not, and all that may change about it."""
    key = f"item_{item.id}_"
    with st.container(border=True, key=f"item_{item.id}"):
        with layout.row():
            st.subheader(
                f"{icons.GROUP[item.group]} {formats.plain(name(item))}",
                anchor=False,
                width="content",
            )
            st.badge(
                _status(item),
                icon=":material/check_circle:" if item.active else ":material/block:",
                color="green" if item.active else "gray",
            )
            _withdraw_or_restore(item, uses.get(item.id, ItemUse()))
        st.caption(t("catalogue_page.unit", unit=t(f"unit.{item.unit}"), hours=item.hours_per_unit))
        with st.form(f"{key}form", border=False):
            form = _fields(item, key)
            st.caption(t("catalogue_page.change_note"))
            if st.form_submit_button(t("catalogue_page.save"), type="primary", key=f"{key}save"):
                session.perform(
                    "catalogue_page.saved", services.change, item.id, form, forget=(key,)
                )


def _withdraw_or_restore(item: ItemView, use: ItemUse) -> None:
    if not item.active:
        if st.button(
            t("catalogue_page.restore"), icon=":material/undo:", key=f"restore_item_{item.id}"
        ):
            session.perform("catalogue_page.restored", services.restore, item.id)
        return
    if layout.confirmed(
        t("catalogue_page.withdraw"),
        t(
            "catalogue_page.withdraw_warning",
            demands=use.demands,
            requests=use.requests,
            orders=use.orders,
        ),
        f"withdraw_item_{item.id}",
        icon=":material/block:",
    ):
        session.perform("catalogue_page.taken_back", services.withdraw, item.id)


def new_item() -> None:
    """Another item; its kind of unit is settled once."""
    with st.expander(
        t("catalogue_page.new"), icon=":material/add_circle:", key=_NEW, on_change="rerun"
    ) as opened:
        if not opened.open:
            return
        with st.form(f"{_NEW}_form", border=False):
            with st.grid(3, min_column_width=220):
                group = st.selectbox(
                    t("catalogue.group"),
                    list(ItemGroup),
                    format_func=lambda one: t(f"group.{one}"),
                    key=f"{_NEW}_group",
                )
                unit = st.selectbox(
                    t("field.unit"),
                    list(Unit),
                    format_func=lambda one: t(f"unit.{one}"),
                    key=f"{_NEW}_unit",
                )
                hours = st.number_input(t("field.hours_per_unit"), value=1, key=f"{_NEW}_hours")
            form = _fields(None, f"{_NEW}_")
            if st.form_submit_button(t("catalogue_page.add"), type="primary", key=f"{_NEW}_save"):
                session.perform(
                    "catalogue_page.added",
                    services.add,
                    group,
                    unit,
                    hours,
                    form,
                    forget=(_NEW,),
                )


def _fields(item: ItemView | None, key: str) -> ItemForm:
    """What may change about an item; in yuan, one task a line."""
    lowest_fen, highest_fen = (item.lowest_fen, item.highest_fen) if item else _USUAL_FEN
    fewest, most = (item.fewest_units, item.most_units) if item else _USUAL_UNITS
    with st.grid(2, min_column_width=260):
        name_zh = st.text_input(
            t("field.name_zh"), item.name_zh if item else "", key=f"{key}name_zh", max_chars=40
        )
        name_en = st.text_input(
            t("field.name_en"), item.name_en if item else "", key=f"{key}name_en", max_chars=60
        )
        about_zh = st.text_area(
            t("field.about_zh"), item.about_zh if item else "", key=f"{key}about_zh", max_chars=200
        )
        about_en = st.text_area(
            t("field.about_en"), item.about_en if item else "", key=f"{key}about_en", max_chars=300
        )
    with st.grid(4, min_column_width=150):
        lowest = st.number_input(
            t("field.lowest_yuan"), value=lowest_fen // 100, key=f"{key}lowest"
        )
        highest = st.number_input(
            t("field.highest_yuan"), value=highest_fen // 100, key=f"{key}highest"
        )
        fewest_units = st.number_input(t("field.fewest_units"), value=fewest, key=f"{key}fewest")
        most_units = st.number_input(t("field.most_units"), value=most, key=f"{key}most")
    required = st.multiselect(
        t("field.required_certificates"),
        list(CertificateKind),
        default=list(item.required_certificates) if item else [CertificateKind.HEALTH],
        format_func=lambda kind: t(f"certificate.{kind}"),
        key=f"{key}certificates",
        placeholder=t("catalogue.no_certificates"),
    )
    with st.grid(2, min_column_width=260):
        tasks_zh = st.text_area(
            t("field.tasks_zh"),
            "\n".join(item.tasks_zh) if item else "",
            key=f"{key}tasks_zh",
            height=200,
        )
        tasks_en = st.text_area(
            t("field.tasks_en"),
            "\n".join(item.tasks_en) if item else "",
            key=f"{key}tasks_en",
            height=200,
        )
    st.caption(t("catalogue_page.tasks_note"))
    return ItemForm(
        name_zh=name_zh,
        name_en=name_en,
        about_zh=about_zh,
        about_en=about_en,
        lowest_fen=lowest * 100,
        highest_fen=highest * 100,
        fewest_units=fewest_units,
        most_units=most_units,
        required_certificates=tuple(required),
        tasks_zh=tasks_zh,
        tasks_en=tasks_en,
    )
