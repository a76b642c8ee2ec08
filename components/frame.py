"""What stands around every page: name, language, role and the way out."""

from base64 import b64encode
from pathlib import Path

import streamlit as st

from components import icons, session
from components.i18n import language_choice, settle_language, t
from services import scans, startup
from services.sessions import Visitor


def _image(name: str, kind: str) -> str:
    """An image as an address of its own: a file would be read anew at every run of every page."""
    content = (Path(__file__).parent / "assets" / name).read_bytes()
    return f"data:image/{kind};base64,{b64encode(content).decode()}"


_ICON, _LOGO = _image("icon.png", "png"), _image("logo.svg", "svg+xml")
_LOOK = (Path(__file__).parent.parent / ".streamlit" / "look.css").read_text("utf-8")


def set_up() -> None:
    """The database, the language, the browser tab's title and icon, the name in the sidebar."""
    startup.ensure()
    settle_language()
    st.set_page_config(page_title=t("frame.name"), page_icon=_ICON, layout="wide")
    st.html(f"<style>{_LOOK}{_look_of_today()}</style>")
    st.logo(_LOGO, icon_image=_ICON, size="large")


def _look_of_today() -> str:
    """What look.css cannot know: the theme for what hangs outside the app, and the language."""
    scheme = st.context.theme.type or "light"
    most = scans.MOST_BYTES // 1024 // 1024
    words = {
        "choose-file": t("frame.choose_file"),
        "add-picture": t("chat.add_picture"),
        "no-picture": t("chat.no_picture", megabytes=most),
    }
    spoken = " ".join(f'--{name}: "{said}";' for name, said in words.items())
    return (
        f'[data-testid="stPopoverBody"], [role="dialog"] {{ color-scheme: {scheme} }}'
        f":root {{ {spoken} }}"
    )


def sidebar(visitor: Visitor | None) -> None:
    """Language for everybody; role and sign-out for those who are in."""
    with st.sidebar:
        language_choice()
        if visitor is not None:
            _who(visitor)


def _who(visitor: Visitor) -> None:
    role = visitor.actor.role
    with st.container(border=True, key="who", gap="small"):
        st.text(visitor.name)
        if role is not None:
            st.caption(f"{icons.ROLE[role]} {t(f'role.{role}')}")
        for other in visitor.roles if visitor.awaits_factor is None else ():
            if other is not role and st.button(
                t("frame.switch_to", role=t(f"role.{other}")),
                key=f"switch_{other}",
                icon=icons.ROLE[other],
                width="stretch",
            ):
                session.switch_role(other)
        if st.button(
            t("frame.sign_out"), key="sign_out", icon=":material/logout:", width="stretch"
        ):
            session.sign_out()
