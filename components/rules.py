"""The rule book as operators see it: what holds, what is to come, and what is thought about."""

from typing import Any

import pandas as pd
import streamlit as st

from components import catalogue, formats, icons, layout, places, replays, rule_fields, session
from components.i18n import name, t
from services import price_bounds, rule_book, rule_changes
from services.price_bounds import Bounds, CaregiverLevel
from services.rule_book import Section, Values
from services.rules import CityRules, RuleStatus, VersionView

_SHOWN_AT_ONCE = 10


def city_rules(kept: CityRules) -> None:
    """A city's rule book: what is being thought about first, then what holds, then the past."""
    st.subheader(places.city_path(kept.city_code), anchor=False)
    _begin(kept)
    for version in kept.undecided:
        _undecided(version, kept)
    for version in kept.coming:
        _coming(version)
    _in_force(kept)
    _past(kept)


def _begin(kept: CityRules) -> None:
    st.caption(t("rules.alone") if kept.alone else t("rules.together"))
    if st.button(
        t("rules.begin"),
        icon=":material/edit_document:",
        key=f"begin_rules_{kept.city_code}",
        type="secondary" if kept.undecided else "primary",
    ):
        session.perform("rules.begun", rule_changes.draft, kept.city_code)


def _head(version: VersionView) -> None:
    with layout.row():
        st.markdown(f"**{t('rules.number', number=version.number)}**", width="content")
        layout.badge(icons.RULES[version.status], t(f"rule_status.{version.status}"))
        begins = formats.date_alone(version.valid_from)
        st.markdown(t("rules.begins", day=begins, year=version.valid_from.year), width="content")
    people = [t("rules.written_by", name=formats.plain(version.written_by))]
    if version.published_by and version.published_by != version.written_by:
        people.append(t("rules.approved_by", name=formats.plain(version.published_by)))
    if version.orders:
        people.append(t("rules.orders", count=version.orders))
    st.caption(" · ".join(people))
    if version.words:
        st.text(version.words)


def _undecided(version: VersionView, kept: CityRules) -> None:
    with st.container(border=True, key=f"rules_{version.id}"):
        _head(version)
        if version.decision_words and version.status is RuleStatus.DRAFT:
            st.warning(
                t("rules.turned_down", words=formats.plain(version.decision_words)),
                icon=":material/undo:",
            )
        if version.publish_at and version.status is RuleStatus.WAITING:
            st.info(
                t("rules.waits", at=formats.moment(version.publish_at)),
                icon=":material/hourglass_top:",
            )
        _changes(version)
        _unfair(version)
        if version.status is RuleStatus.DRAFT:
            _edit(version)
        replays.tried_out(version)
        _decide(version, kept)


def _changes(version: VersionView) -> None:
    rows = [
        row
        for parameter, (before, after) in version.changes.items()
        for row in rule_fields.changed(parameter, before, after)
    ]
    if not rows:
        st.info(t("rules.changes_nothing"), icon=":material/edit:")
        return
    column = st.column_config
    st.dataframe(
        pd.DataFrame(rows, columns=["rule", "before", "after"]),
        hide_index=True,
        height="content" if len(rows) < 12 else 420,
        column_config={
            "rule": column.TextColumn(t("rules.rule"), pinned=True),
            "before": column.TextColumn(t("rules.before")),
            "after": column.TextColumn(t("rules.after")),
        },
        key=f"rule_changes_{version.id}",
        alt=t("rules.changes_table"),
    )


def _unfair(version: VersionView) -> None:
    """Where a lower level may ask for more than a higher one."""
    items, own = catalogue.items(), rule_book.bounds(version.values)
    bounds = {
        (item_id, level): Bounds(
            *own.get((item_id, level), (items[item_id].lowest_fen, items[item_id].highest_fen))
        )
        for item_id in {item_id for item_id, _ in own}
        for level in CaregiverLevel
    }
    for item_id in sorted(price_bounds.unfair(bounds)):
        st.warning(
            t("rules.unfair", item=catalogue.item_name(items, item_id)), icon=":material/warning:"
        )


def _edit(version: VersionView) -> None:
    key = f"edit_rules_{version.id}"
    with st.expander(t("rules.edit"), icon=":material/tune:", key=key, on_change="rerun") as opened:
        if not opened.open:
            return
        _frame(version, key)
        section = st.pills(
            t("rules.section"),
            list(Section),
            default=Section.SURCHARGES,
            required=True,
            format_func=lambda one: f"{rule_fields.ICONS[one]} {t(f'rule_section.{one}')}",
            key=f"{key}_section",
        )
        if section is Section.PRICES:
            _prices(version, key)
        else:
            _numbers(version, section, key)


def _frame(version: VersionView, key: str) -> None:
    """When it begins, and why."""
    with st.form(f"{key}_frame", border=False):
        valid_from = st.date_input(
            t("field.valid_from"),
            max(version.valid_from, version.earliest),
            min_value=version.earliest,
            key=f"{key}_valid_from",
        )
        why = st.text_area(
            t("field.rule_words"),
            version.words,
            max_chars=500,
            placeholder=t("rules.why_hint"),
            key=f"{key}_words",
        )
        if st.form_submit_button(t("rules.save_frame"), key=f"{key}_save_frame"):
            _revise(version, {}, key, valid_from=valid_from, said=why or "")


def _numbers(version: VersionView, section: Section, key: str) -> None:
    with st.form(f"{key}_{section}_form", border=False):
        changes = rule_fields.fields(section, version.values, f"{key}_{section}")
        if st.form_submit_button(
            t("rules.save_section"), type="primary", key=f"{key}_save_{section}"
        ):
            _revise(version, changes, f"{key}_{section}")


def _prices(version: VersionView, key: str) -> None:
    items = catalogue.offered(catalogue.items())
    item_id = st.selectbox(
        t("field.item"), list(items), format_func=lambda one: name(items[one]), key=f"{key}_item"
    )
    prices: Values = version.values["prices"]
    with st.form(f"{key}_prices_form", border=False):
        own = rule_fields.bounds(items[item_id], prices.get(str(item_id), {}), key)
        if st.form_submit_button(t("rules.save_section"), type="primary", key=f"{key}_save_prices"):
            others = {one: levels for one, levels in prices.items() if one != str(item_id)}
            wanted = others | ({str(item_id): own} if own else {})
            _revise(version, {"prices": wanted}, f"{key}_{item_id}")


def _revise(version: VersionView, changes: Values, forget: str, **frame: Any) -> None:  # noqa: ANN401
    session.perform(
        "rules.saved", rule_changes.revise, version.id, changes, forget=(f"{forget}_",), **frame
    )


def _decide(version: VersionView, kept: CityRules) -> None:
    number, day = version.number, formats.date_alone(version.valid_from)
    with layout.row():
        if "propose" in version.moves and layout.confirmed(
            t("rules.propose"),
            t("rules.propose_warning"),
            f"propose_rules_{version.id}",
            icon=":material/send:",
            main=True,
        ):
            session.perform("rules.proposed", rule_changes.propose, version.id)
        if "approve" in version.moves and layout.confirmed(
            t("rules.approve"),
            t("rules.approve_warning", number=number, day=day),
            f"approve_rules_{version.id}",
            icon=":material/verified:",
            main=True,
        ):
            session.perform("rules.published", rule_changes.approve, version.id)
        if "announce" in version.moves:
            _announce(version, day)
        if "turn_down" in version.moves:
            _turn_down(version)
        if kept.undecided and "withdraw" in version.moves:
            _withdraw(version)


def _announce(version: VersionView, day: str) -> None:
    """The only operator types the number, and has a day to think better of it."""
    key = f"announce_rules_{version.id}"
    with st.popover(
        t("rules.announce"),
        icon=":material/schedule_send:",
        key=f"{key}_ask",
        type="primary",
    ):
        st.markdown(t("rules.announce_warning", number=version.number, day=day))
        with st.form(f"{key}_form", border=False):
            typed = st.text_input(
                t("rules.type_number", number=version.number), key=f"{key}_typed", max_chars=10
            )
            if st.form_submit_button(t("frame.confirm"), type="primary", key=key):
                session.perform("rules.announced", rule_changes.announce, version.id, typed)


def _turn_down(version: VersionView) -> None:
    key = f"turn_down_rules_{version.id}"
    with st.popover(t("rules.turn_down"), icon=":material/undo:", key=f"{key}_ask"):
        said = layout.reason_form(key, t("rules.turn_down"), t("rules.turn_down_hint"))
        if said is not None:
            session.perform("rules.given_back", rule_changes.turn_down, version.id, said)


def _withdraw(version: VersionView) -> None:
    if layout.confirmed(
        t("rules.withdraw"),
        t("rules.withdraw_warning", number=version.number),
        f"withdraw_rules_{version.id}",
        icon=":material/delete:",
    ):
        session.perform("rules.withdrawn", rule_changes.withdraw, version.id)


def _coming(version: VersionView) -> None:
    with st.container(border=True, key=f"rules_{version.id}"):
        _head(version)
        _changes(version)
        if "withdraw" in version.moves:
            _withdraw(version)


def _in_force(kept: CityRules) -> None:
    with st.container(border=True, key=f"rules_now_{kept.city_code}"):
        if kept.in_force is None:
            st.markdown(f"**{t('rules.usual')}**")
            st.caption(t("rules.usual_next"))
        else:
            _head(kept.in_force)
        for tab, section in zip(
            st.tabs(
                [f"{rule_fields.ICONS[one]} {t(f'rule_section.{one}')}" for one in Section],
                default=f"{rule_fields.ICONS[Section.SURCHARGES]} "
                f"{t(f'rule_section.{Section.SURCHARGES}')}",
                key=f"rule_tabs_{kept.city_code}",
            ),
            Section,
            strict=True,
        ):
            with tab:
                _said(section, kept.now, kept.city_code)


def _said(section: Section, now: Values, city_code: str) -> None:
    if section is Section.PRICES:
        _said_prices(now["prices"], city_code)
        return
    with st.grid(3, min_column_width=200):
        for parameter in rule_fields.of_section(section):
            layout.field(rule_fields.named(parameter), rule_fields.said(parameter, now[parameter]))


def _said_prices(prices: Values, city_code: str) -> None:
    if not prices:
        st.info(t("rules.no_prices"), icon=":material/menu_book:")
        return
    rows = rule_fields.changed("prices", {}, prices)
    column = st.column_config
    st.dataframe(
        pd.DataFrame([(what, now) for what, _, now in rows], columns=["what", "range"]),
        hide_index=True,
        height="content" if len(rows) < 12 else 420,
        column_config={
            "what": column.TextColumn(t("rules.rule"), pinned=True),
            "range": column.TextColumn(t("rules.range")),
        },
        key=f"rule_prices_{city_code}",
        alt=t("rules.prices_table"),
    )


def _past(kept: CityRules) -> None:
    if not kept.past:
        return
    with st.expander(
        t("rules.past", count=len(kept.past)),
        icon=":material/history:",
        key=f"past_rules_{kept.city_code}",
        on_change="rerun",
    ) as opened:
        if not opened.open:
            return
        key = f"past_rules_{kept.city_code}_more"
        for version in layout.first_of(kept.past, key, _SHOWN_AT_ONCE):
            with st.container(border=True, key=f"rules_{version.id}"):
                _head(version)
                _changes(version)
        layout.more_button(kept.past, key, _SHOWN_AT_ONCE)
