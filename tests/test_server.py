"""The real server over HTTP and its websocket: health, headers, cookies, one process, its end."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from email.message import Message
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from services import sessions
from services.access import Role
from tests.headless import open_websocket, visit
from tests.live_server import ROOT, LiveServer, live_server, start, stop

pytestmark = pytest.mark.server
SECRET = "a secret that only this test run knows"
PUBLIC_PAGES = {"", "welcome", "policy", "sign_in", "join"}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with live_server(tmp_path_factory.mktemp("server"), CAREPILOT_SECRET=SECRET) as running:
        yield running


def database(server: LiveServer) -> str:
    return f"sqlite:///{server.log.parent / 'live.db'}"


def ask(
    url: str, *, body: bytes | None = None, method: str | None = None, **headers: str
) -> tuple[int, Message, bytes]:
    """Status, headers and body of one request; header names are written with underscores."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(url, data=body, headers=named, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, refused.headers, refused.read()


# --- Health and headers


def test_the_server_says_that_it_lives_and_is_ready(server):
    for path in ("/healthz", "/readyz"):
        status, headers, body = ask(server.url + path)

        assert (status, body) == (200, b"ok")
        assert headers["Cache-Control"] == "no-store"


def test_it_is_not_ready_while_migrations_are_missing(server):
    engine = create_engine(database(server))
    with engine.begin() as connection:
        newest = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
        connection.exec_driver_sql("DELETE FROM alembic_version")
    try:
        status, _, body = ask(server.url + "/readyz")
        assert (status, body) == (503, b"migrations")
        assert ask(server.url + "/healthz")[0] == 200
    finally:
        with engine.begin() as connection:
            connection.exec_driver_sql("INSERT INTO alembic_version VALUES (?)", (newest,))
        engine.dispose()


def an_asset(server: LiveServer) -> str:
    """The address of a script of Streamlit's own."""
    found = re.search(r'src="\.(/static/js/[^"]+)"', ask(server.url + "/")[2].decode())
    assert found
    return found[1]


def test_every_answer_carries_the_security_headers(server):
    for address in ("/", an_asset(server), "/healthz"):
        _, headers, _ = ask(server.url + address)
        policy = headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in policy
        assert "'unsafe-eval'" not in policy
        assert "'unsafe-inline'" not in policy.split("style-src")[0]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert "geolocation=(self)" in headers["Permissions-Policy"]
        assert headers["Strict-Transport-Security"] is None
        assert headers["Server"] is None


def test_pages_are_asked_for_anew_and_assets_are_kept(server):
    assert ask(server.url + "/")[1]["Cache-Control"] == "no-cache"
    assert "immutable" in ask(server.url + an_asset(server))[1]["Cache-Control"]


def test_behind_tls_browsers_are_told_to_stay_there(server):
    _, headers, _ = ask(server.url + "/", X_Forwarded_Proto="https")

    assert "max-age=" in headers["Strict-Transport-Security"]


# --- The session cookie


@pytest.fixture
def ticket(server):
    """A ticket as a demo sign-in leaves it in the server's database."""
    # Made in a process of its own: keys are kept for the life of a process.
    program = (
        "from data.database import writing\n"
        "from services import sessions\n"
        "from services.access import Role\n"
        "with writing() as session:\n"
        "    print(sessions.open_demo(session, Role.CUSTOMER, sessions.Client('test')).ticket)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=os.environ | {"DATABASE_URL": database(server), "CAREPILOT_SECRET": SECRET},
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()


def trade(server: LiveServer, ticket: str, **headers: str) -> tuple[int, Message, bytes]:
    sent = {"Origin": server.url, "Content_Type": "application/json", **headers}
    return ask(server.url + "/auth/session", body=json.dumps({"ticket": ticket}).encode(), **sent)


def test_a_ticket_becomes_a_cookie_no_script_can_read(server, ticket):
    status, headers, body = trade(server, ticket)

    assert (status, body) == (204, b"")
    name, *flags = (part.strip() for part in headers["Set-Cookie"].split(";"))
    assert name.startswith(f"{sessions.COOKIE_NAME}=ey")
    lifetime = int(sessions.LIFETIME.total_seconds())
    assert {flag.lower() for flag in flags} == {
        "httponly",
        "path=/",
        "samesite=lax",
        f"max-age={lifetime}",
    }


def test_the_cookie_is_secure_behind_tls(server, ticket):
    _, headers, _ = trade(server, ticket, X_Forwarded_Proto="https")

    assert "secure" in headers["Set-Cookie"].lower().split("; ")


def test_a_ticket_works_once(server, ticket):
    assert trade(server, ticket)[0] == 204

    status, headers, body = trade(server, ticket)

    assert (status, body) == (403, b"ticket")
    assert headers["Set-Cookie"] is None


def test_a_form_may_bring_the_ticket_too(server, ticket):
    status, _, _ = ask(
        server.url + "/auth/session", body=f"ticket={ticket}".encode(), Origin=server.url
    )

    assert status == 204


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'{"ticket": 1}', b'{"ticket": ""}', b"\xff\xfe", b"x" * 5000]
)
def test_a_body_without_a_ticket_is_refused(server, body):
    for kind in ("application/json", "application/x-www-form-urlencoded"):
        status, _, said = ask(
            server.url + "/auth/session", body=body, Origin=server.url, Content_Type=kind
        )
        assert (status, said) == (403, b"ticket")


@pytest.mark.parametrize(
    "foreign",
    [
        {"Origin": "https://elsewhere.example"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
    ],
)
def test_a_foreign_page_cannot_sign_in(server, ticket, foreign):
    assert trade(server, ticket, **foreign)[::2] == (403, b"origin")

    assert trade(server, ticket)[0] == 204  # The ticket was not used up.


# --- Deep links of nobody


@pytest.fixture(scope="module")
def fresh_server(tmp_path_factory, server):
    """A server nobody has visited: Streamlit treats its first visitor in a way of its own."""
    folder = tmp_path_factory.mktemp("fresh")
    copy_database(server, folder / "live.db")
    with live_server(folder, CAREPILOT_SECRET=SECRET) as running:
        yield running


def copy_database(server: LiveServer, target: Path) -> None:
    engine = create_engine(database(server))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM INTO ?", (str(target),))
    engine.dispose()


def same_words(texts: list[str], page: str) -> list[str]:
    """What a screen says, the page that one comes back to aside."""
    return [text.replace(f"back_to=%2F{page}", "back_to=") for text in texts]


def test_a_deep_link_of_nobody_runs_only_the_sign_in_screen(fresh_server):
    first = visit(fresh_server.url, "orders")
    pages = set(first.pages) - PUBLIC_PAGES
    assert {"my_orders", "task_hall", "applications", "orders"} <= pages

    for page in pages:
        screen = visit(fresh_server.url, page)
        assert not screen.page_not_found, page
        assert screen.keys == first.keys, page
        assert same_words(screen.texts, page) == same_words(first.texts, "orders"), page
    assert {f"demo_sign_in_{role}" for role in Role} <= set(first.keys)


# --- One process, its options and its end


def refusal(folder: Path, program: Path = ROOT / "server.py", **environment: str) -> str:
    """What a server that must not start says."""
    done = subprocess.run(
        [sys.executable, program],
        cwd=folder,
        env=os.environ | {"PORT": "0", "CAREPILOT_SECRET": SECRET} | environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    lines = done.stderr.splitlines()
    assert len(lines) == 1, done.stderr
    return lines[0]


def test_a_second_server_on_the_same_sqlite_file_refuses_to_start(server, tmp_path):
    said = refusal(tmp_path, DATABASE_URL=database(server))

    assert "Another server" in said


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("postScriptGC = false", "postScriptGC = true"),
        ("gatherUsageStats = false", "gatherUsageStats = true"),
        ('showErrorDetails = "none"', 'showErrorDetails = "full"'),
    ],
)
def test_another_option_than_intended_keeps_the_server_from_starting(tmp_path, right, wrong):
    shutil.copy(ROOT / "server.py", tmp_path)
    (tmp_path / ".streamlit").mkdir()
    config = (ROOT / ".streamlit" / "config.toml").read_text("utf-8")
    assert right in config
    (tmp_path / ".streamlit" / "config.toml").write_text(config.replace(right, wrong), "utf-8")
    (tmp_path / "Home.py").touch()

    said = refusal(tmp_path, tmp_path / "server.py", PYTHONPATH=str(ROOT))

    assert right.split()[0] in said


def test_production_without_a_secret_does_not_start(tmp_path):
    said = refusal(
        tmp_path,
        CAREPILOT_MODE="production",
        CAREPILOT_SECRET="",
        DATABASE_URL=f"sqlite:///{tmp_path / 'empty.db'}",
    )

    assert "CAREPILOT_SECRET" in said


def test_streamlit_is_told_that_pages_is_no_pages_directory(tmp_path):
    program = (
        "import server\n"
        "from streamlit.runtime.pages_manager import PagesManager\n"
        "assert PagesManager.uses_pages_directory is False\n"
    )
    subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        check=True,
    )


def test_streamlit_tells_whether_it_serves_by_itself(tmp_path):
    program = (
        "from streamlit import config\n"
        "from streamlit.web import bootstrap\n"
        "from components import session\n"
        "assert not session.without_routes()\n"
        "config.set_option('server.port', 0)\n"
        "config.set_option('server.headless', True)\n"
        "bootstrap.run('Home.py', False, [], {}, stop_immediately_for_testing=True)\n"
        "assert session.without_routes()\n"
    )
    subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        check=True,
        timeout=60,
    )


def test_it_stops_within_seconds_while_people_are_connected(server, tmp_path):
    copy_database(server, tmp_path / "live.db")
    with live_server(tmp_path, CAREPILOT_SECRET=SECRET) as running:
        visit(running.url)
        with open_websocket(running.url):
            os.kill(running.pid, signal.SIGTERM)
            deadline = time.monotonic() + 10
            while os.waitid(os.P_PID, running.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
                assert time.monotonic() < deadline, "still running"
                time.sleep(0.05)


def test_worker_stops_when_asked(server, tmp_path):
    copy_database(server, tmp_path / "live.db")
    environment = {
        "DATABASE_URL": f"sqlite:///{tmp_path / 'live.db'}",
        "CAREPILOT_SECRET": SECRET,
    }
    worker = start("worker.py", tmp_path / "worker.log", environment)
    deadline = time.monotonic() + 60
    while "ready" not in (tmp_path / "worker.log").read_text() and time.monotonic() < deadline:
        time.sleep(0.05)

    assert stop(worker) == 0


def test_the_log_holds_no_address_and_no_query(server):
    ask(server.url + "/redeem?code=ABCD-EFGH")
    visit(server.url)
    ask(server.url + "/auth/session?ticket=very-secret", body=b"", Origin=server.url)

    log = server.log.read_text()
    assert "serves" in log
    assert "ABCD" not in log
    assert "very-secret" not in log
    assert "/_stcore/stream" not in log
