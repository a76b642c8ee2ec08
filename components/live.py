"""Parts of a page that draw themselves anew when there is news for who looks at them."""

import hashlib
from collections.abc import Callable
from functools import partial
from typing import ParamSpec

from streamlit.components.v2 import component

from components import session
from components.scripts import IS_RUNNING
from services import clock
from services.news import Topic

Args = ParamSpec("Args")

# One stream per tab, whatever listens; opened anew for somebody else, and after a while if refused.
# News found after a part was drawn wake it, once it can be seen.
_LISTENER = component(
    "listener",
    html="<span></span>",
    js=IS_RUNNING
    + """
const LONGEST_WAIT = 60000
const ASK_AGAIN = 2000

function wake(news) {
  if (document.hidden) return
  // A wish sent while a run opens another page would be answered with the page that was left.
  if (isRunning()) {
    news.later ??= setTimeout(() => {
      news.later = null
      wake(news)
    }, 100)
    return
  }
  for (const part of news.parts.values()) {
    const newest = Math.max(...part.topics.map((topic) => news.found[topic] ?? 0))
    if (newest <= Math.max(part.drawn, part.asked)) continue
    part.asked = newest
    part.wake(newest)
    // A run that was under way may have swallowed the wish.
    setTimeout(() => {
      part.asked = 0
      wake(news)
    }, ASK_AGAIN)
  }
}

async function open(news, wait) {
  const { who } = news
  // Right after signing in the cookie is still on its way: components/identity.py.
  await window.carepilotCookie
  if (who !== news.who) return
  news.source?.close()
  const source = (news.source = new EventSource(new URL("events", document.baseURI)))
  for (const topic of news.topics)
    source.addEventListener(topic, (event) => {
      news.found[topic] = Math.max(news.found[topic] ?? 0, Number(event.data))
      wake(news)
    })
  source.onopen = () => (wait = 1000)
  source.onerror = () => {
    if (source.readyState !== EventSource.CLOSED || source !== news.source) return
    setTimeout(() => source === news.source && open(news, Math.min(2 * wait, LONGEST_WAIT)), wait)
  }
}

function news() {
  if (!window.carepilotNews) {
    window.carepilotNews = { parts: new Map(), found: {}, topics: [], who: null, source: null }
    document.addEventListener("visibilitychange", () => wake(window.carepilotNews))
  }
  return window.carepilotNews
}

export default function (component) {
  const { setTriggerValue } = component
  const [data] = component.data
  const all = news()
  const { topics, drawn } = data
  const mine = { topics, drawn, asked: 0, wake: (at) => setTriggerValue("woken", at) }
  all.parts.set(data.part, mine)
  if (all.who !== data.who) {
    all.who = data.who
    all.topics = data.every
    all.found = {}
    open(all, 1000)
  }
  wake(all)
  // The same part may have been mounted anew before this one goes.
  return () => all.parts.get(data.part) === mine && all.parts.delete(data.part)
}
""",
)


def part(*topics: Topic) -> Callable[[Callable[Args, None]], Callable[Args, None]]:
    """Make of a drawing function a part that draws itself anew when there is such news."""

    def made(draw: Callable[Args, None]) -> Callable[Args, None]:
        name = f"live_{draw.__name__.strip('_')}"  # Streamlit allows no two underscores here.
        return session.fragment(draw, woken=partial(_woken, name, topics))

    return made


def _woken(name: str, topics: tuple[Topic, ...]) -> bool:
    """Whether news made this part run; it listens from now on."""
    visitor, token = session.visitor(), session.this_token()
    return visitor is not None and woken(name, topics, f"{token} {visitor.actor.role}")


def woken(name: str, topics: tuple[Topic, ...], who: str) -> bool:
    """The same for a part of somebody's who need not be signed in, known by a secret."""
    if session.without_routes():
        return False
    data = {
        "part": name,
        "topics": list(topics),
        "every": list(Topic),
        # Before anything is read: what is found later may not be in the picture.
        "drawn": clock.now().timestamp(),
        "who": hashlib.sha256(who.encode()).hexdigest()[:16],
    }
    told = _LISTENER(
        data=[data],  # Of a bare dict every value would be tried as a table, at every run.
        key=name,
        on_woken_change=lambda: None,
        height=1,
    )
    return told.woken is not None
