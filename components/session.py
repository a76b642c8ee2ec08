"""The only door from the screen to the database: who is visiting, and how services are reached."""

import logging
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

import streamlit as st
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError
from streamlit import config
from streamlit.runtime.scriptrunner import get_script_run_ctx

from components import passwords, words
from components.i18n import t
from data.database import reading, transact
from services import accounts, attempts, clock, credentials, sessions
from services.access import Actor, Role
from services.errors import ServiceError
from services.passwords import NewPassword
from services.sessions import Client, Opened, Visitor

Args = ParamSpec("Args")
Result = TypeVar("Result")

_TOKEN, _TICKET, _VISITOR = "session_token", "session_ticket", "visitor"
_NOTICE, _NEXT_PAGE, _ENDED, _DONE = "notice", "next_page", "session_ended", "done_once"
_KEPT_ACROSS_SIGN_IN = {"language", _DONE}
_log = logging.getLogger("carepilot")


class _SessionEnded(Exception):
    """The session was ended elsewhere while this page was open, or lacks its second factor."""


def without_routes() -> bool:
    """Whether Streamlit serves by itself (`streamlit run Home.py`): no address of ours answers."""
    return config._server_mode == "starlette-managed"  # Private, so guarded by a test.


def recognise(*, by_itself: bool = False) -> Visitor | None:
    """Ask the database who this is; once at the start of every run.

    A run that came `by_itself`, with news, is nothing the person did: they may still fall idle.

    A tab belongs to the session it first showed a page of. When that ends it asks to be reloaded:
    the cookie may be somebody else's by now, whom a click on this page must not make act.
    """
    token = _token()
    visitor = None
    if token:
        with reading() as session:
            visitor = sessions.resume(session, token)
    if visitor is None:
        if st.session_state.get(_TOKEN):
            _belong_to_nobody()
            st.session_state[_ENDED] = True
    else:
        st.session_state[_TOKEN] = token
        if visitor.seen_long_ago and not by_itself:
            transact(lambda session: sessions.keep_alive(session, token or ""))
    st.session_state[_VISITOR] = visitor
    return visitor


def visitor() -> Visitor | None:
    """Who is signed in, as found at the start of this run."""
    return st.session_state.get(_VISITOR)


def actor() -> Actor:
    """The signed-in person; a page without one stops here."""
    found = visitor()
    if found is None or found.awaits_factor is not None:
        st.stop()
    return found.actor


def fragment(
    draw: Callable[Args, None], *, woken: Callable[[], bool] = lambda: False
) -> Callable[Args, None]:
    """A part that reruns by itself; as it does, it too asks who this is before it draws anything.

    `woken` says whether it runs only because of news; it may draw what hears them.
    """

    @wraps(draw)
    def checked(*args: Args.args, **kwargs: Args.kwargs) -> None:
        news, run = woken(), get_script_run_ctx()
        found = recognise(by_itself=news) if run and run.fragment_ids_this_run else visitor()
        if found is None or found.awaits_factor is not None:
            st.rerun()
        with catching():
            draw(*args, **kwargs)

    return st.fragment(checked)


@contextmanager
def catching() -> Iterator[None]:
    """A bug is logged under a number; the person sees that number and nothing internal."""
    try:
        yield
    except Exception:
        number = secrets.token_hex(4)
        _log.exception("unexpected %s", number)
        st.error(t("error.unexpected", number=number), icon=":material/report:")


def public(
    read: Callable[Concatenate[Session, Args], Result], *args: Args.args, **kwargs: Args.kwargs
) -> Result:
    """Run a reading service that everybody may use, signed in or not."""
    with reading() as session:
        return read(session, *args, **kwargs)


def once(deed: str, work: Callable[..., object], *args: object) -> None:
    """Run a writing service that nobody waits for, once in this tab.

    Should it fail, also because nothing can be written here, the log says so and the page goes on.
    """
    if deed in st.session_state.setdefault(_DONE, set()):
        return
    st.session_state[_DONE].add(deed)
    try:
        transact(lambda session: work(session, *args))
    except (ServiceError, DBAPIError):
        _log.warning("%s was not done", deed, exc_info=True)


def fetch(
    read: Callable[Concatenate[Session, Actor, Args], Result],
    *args: Args.args,
    **kwargs: Args.kwargs,
) -> Result:
    """Run a reading service; a refusal is shown in words and the page ends there."""
    try:
        with reading() as session:
            return read(session, actor(), *args, **kwargs)
    except ServiceError as refusal:
        st.error(words.of_refusal(refusal))
        st.stop()


def disclose(
    read: Callable[Concatenate[Session, Actor, Args], Result],
    *args: Args.args,
    **kwargs: Args.kwargs,
) -> Result | None:
    """Run a read that leaves an audit row; what it returns lives for this run only."""
    return _transaction(lambda session, actor: read(session, actor, *args, **kwargs))


def perform(
    done: str,
    action: Callable[..., object],
    *args: object,
    then: str | None = None,
    forget: tuple[str, ...] = (),
    keep: str | None = None,
    **kwargs: object,
) -> None:
    """Run a writing service, then show its outcome on a fresh page.

    `then` names the page to open next; `forget` the beginnings of the keys of fields to empty;
    `keep` the key under which the next run finds what the service returned.
    """
    outcome = _transaction(lambda session, actor: (action(session, actor, *args, **kwargs),))
    if outcome is None:
        return
    for key in [k for k in st.session_state if str(k).startswith(forget)] if forget else []:
        del st.session_state[key]
    if keep is not None:
        st.session_state[keep] = outcome[0]
    st.session_state[_NOTICE] = done
    if then is not None:
        st.session_state[_NEXT_PAGE] = then
    st.rerun()


def _transaction(work: Callable[[Session, Actor], Result]) -> Result | None:
    """One writing transaction by whoever holds the session at this moment; None if refused."""
    token = _token() or ""

    def checked(session: Session) -> Result:
        now = sessions.resume(session, token)
        if now is None or now.awaits_factor is not None:
            raise _SessionEnded
        return work(session, now.actor)

    try:
        outcome = transact(checked)
    except ServiceError as refusal:
        st.error(words.of_refusal(refusal))
        return None
    except StaleDataError:
        st.error(t("error.changed_meanwhile"))
        return None
    except _SessionEnded:
        st.rerun()
    # A refusal that had to be remembered is returned, so that what it counted is saved.
    kept = outcome[0] if isinstance(outcome, tuple) and outcome else None
    if isinstance(kept, ServiceError):
        st.error(words.of_refusal(kept))
        return None
    return outcome


def enter(opening: Callable[[Session], Opened | ServiceError], *, done: str | None = None) -> None:
    """Run a service that opens a session, and come in; a refusal is shown in words."""
    if (opened := _unless_refused(opening)) is not None:
        _come_in(opened, done)


def _come_in(opened: Opened, done: str | None) -> None:
    _belong_to_nobody()
    st.session_state[_TOKEN] = opened.token
    st.session_state[_TICKET] = opened.ticket, clock.now() + sessions.TICKET_LIFETIME
    st.session_state[_NOTICE] = done
    st.rerun()


def sign_in(phone: str, password: str) -> None:
    """Sign in with phone and password; the slow comparison happens outside any transaction."""
    attempt = _unless_refused(lambda session: attempts.begin(session, phone, client()))
    if attempt is None:
        return
    if not passwords.fits(password, attempt.password_hash):
        st.error(words.of_refusal(attempts.wrong_password()))
        return
    enter(lambda session: attempts.finish(session, attempt, client()))


def sign_up(form: accounts.SignUp, password: str, again: str) -> None:
    """Create an account for a phone confirmed by code, and come in."""
    if (new := _new_password(password, again)) is not None:
        enter(lambda session: accounts.sign_up(session, form, new, client()))


def reset_password(phone: str, code: str, password: str, again: str) -> None:
    """Set a new password for a phone confirmed by code, and come in; all other sessions end."""
    if (new := _new_password(password, again)) is not None:
        enter(
            lambda session: accounts.reset_password(session, phone, code, new, client()),
            done="account.password_changed",
        )


def at_door(
    action: Callable[Concatenate[Session, str, Args], Result | ServiceError],
    *args: Args.args,
    **kwargs: Args.kwargs,
) -> Result | None:
    """Run a service for a session whose second factor is awaited; None and words if refused."""
    return outside(action, this_token(), *args, **kwargs)


def _is_own_password(typed: str) -> bool:
    """Whether this is the person's password, or they have none yet; words if it is not."""
    attempt = _transaction(attempts.begin_own)
    if attempt is None or attempt.password_hash is None:
        return attempt is not None
    if fits := passwords.fits(typed, attempt.password_hash):
        return fits
    st.error(t("error.password_wrong"))
    return False


def _new_password(password: str, again: str) -> NewPassword | None:
    try:
        return passwords.made(password, again)
    except ServiceError as refusal:
        st.error(words.of_refusal(refusal))
        return None


def _unless_refused(work: Callable[[Session], Result | ServiceError]) -> Result | None:
    """One transaction of nobody signed in; None and words if the service refuses or returns so."""
    try:
        outcome = transact(work)
    except ServiceError as refusal:
        outcome = refusal
    if isinstance(outcome, ServiceError):
        st.error(words.of_refusal(outcome))
        return None
    return outcome


def attempt(
    action: Callable[Concatenate[Session, Args], object], *args: Args.args, **kwargs: Args.kwargs
) -> bool:
    """Run a writing service that needs no signed-in person; False and words if it refuses."""

    return outside(lambda session: action(session, *args, **kwargs) or True) is not None


def outside(
    work: Callable[Concatenate[Session, Args], Result | ServiceError],
    *args: Args.args,
    **kwargs: Args.kwargs,
) -> Result | None:
    """Run a service for somebody without account; None and words if it refuses."""
    return _unless_refused(lambda session: work(session, *args, **kwargs))


def sign_out() -> None:
    """End this session everywhere it is known."""
    if token := _token():
        transact(lambda session: sessions.end(session, token))
    _belong_to_nobody()
    st.rerun()


def has_ended() -> bool:
    """Whether the session this tab belonged to has ended; only a reload asks the cookie again."""
    return st.session_state.get(_ENDED, False)


def _belong_to_nobody() -> None:
    """Keep nothing of the last visitor in this tab, nor ask the cookie who it is."""
    for key in set(st.session_state) - _KEPT_ACROSS_SIGN_IN:
        del st.session_state[key]
    st.session_state[_TOKEN] = ""


def switch_role(role: Role) -> None:
    """Go on in another role the person holds."""
    token = _token() or ""
    perform("notice.role_switched", sessions.switch_role, token, role, then="landing")


def change_password(old: str, password: str, again: str) -> None:
    """Set a new password and go on in a new session: all others end."""
    new, token = _new_password(password, again), this_token()
    if new is None or not _is_own_password(old):
        return

    def renew(session: Session, actor: Actor) -> Opened:
        accounts.change_password(session, actor, new)
        return sessions.renew(session, actor, token, client())

    if (opened := _transaction(renew)) is not None:
        _come_in(opened, "account.password_changed")


def pending_ticket() -> str | None:
    """The ticket the browser takes to the server to set its cookie, while it is any good."""
    ticket, expires_at = st.session_state.get(_TICKET, ("", None))
    return ticket if expires_at is not None and clock.now() < expires_at else None


def drop_ticket() -> None:
    st.session_state.pop(_TICKET, None)


def open_next(page: str) -> None:
    """Open another page at once, by its name."""
    st.session_state[_NEXT_PAGE] = page
    st.rerun()


def next_page() -> str | None:
    """The page a finished action asked to open, once."""
    return st.session_state.pop(_NEXT_PAGE, None)


def show_notice() -> None:
    """How the last action went, once, on the page drawn after it.

    Not a toast: Streamlit's have no name that a screen reader could say.
    """
    place = st.container(key="notice")  # Always: if it came and went, all below were built anew.
    if key := st.session_state.pop(_NOTICE, None):
        place.success(t(key), icon=":material/check_circle:")


def client() -> Client:
    """The browser of this visit."""
    return Client(st.context.headers.get("User-Agent", "")[:200], st.context.ip_address or "")


def this_token() -> str:
    """The token of the session this tab belongs to."""
    return _token() or ""


def _token() -> str | None:
    if (token := st.session_state.get(_TOKEN)) is not None:
        return token
    cookie = _cookie()
    return credentials.token_of(cookie) if cookie else None


def _cookie() -> str | None:
    """The cookie as it was when this tab last connected."""
    return st.context.cookies.get(sessions.COOKIE_NAME)
