"""The keyboard's part of the desk: a field that sends what is typed, and focus that leads on."""

from streamlit.components.v2 import component

from components.scripts import IS_RUNNING

# Streamlit sends a text field only with Enter; whoever talks meanwhile wants to see who it may be.
# What was found are ordinary buttons, in a container of a new name for every answer, so that Enter
# never presses one that belongs to what was typed before.
live_field = component(
    "live_field",
    html="""<label for="typed"></label><input id="typed" type="search" autocomplete="off"
      spellcheck="false" /><p></p>""",
    css="""
label { font: 0.875rem var(--st-font); color: var(--st-text-color); display: block;
  margin-bottom: 0.25rem; }
input { box-sizing: border-box; width: 100%; padding: 0.7rem 0.9rem;
  font: 1.125rem var(--st-font); color: var(--st-text-color);
  background: var(--st-secondary-background-color);
  border: 1px solid var(--st-border-color); border-radius: var(--st-base-radius); }
input:focus-visible { outline: 2px solid var(--st-primary-color); outline-offset: 1px; }
input::placeholder { color: var(--st-text-color); opacity: 0.75; }
p { font: 0.8rem var(--st-font); color: var(--st-text-color); margin: 0.3rem 0 0; }
""",
    js=IS_RUNNING
    + """
const PAUSE = 150

export default function (component) {
  const { data, parentElement, setStateValue } = component
  const field = parentElement.querySelector("input")
  const state = (parentElement.state ??= { timer: 0, enter: false, sent: data.answered })
  parentElement.querySelector("label").textContent = data.label
  parentElement.querySelector("p").textContent = data.hint
  field.placeholder = data.placeholder
  field.maxLength = data.longest
  const buttons = () => [...document.querySelectorAll(`.st-key-${data.found} button`)]

  function send() {
    clearTimeout(state.timer)
    if (field.value === state.sent) return
    state.sent = field.value
    setStateValue("typed", field.value)
  }
  // Pressed while the run that draws them goes on, a button may not be heard.
  function pickFirst(tries = 400) {
    const [first] = buttons()
    if (first && !isRunning()) first.click()
    else if (tries) setTimeout(() => pickFirst(tries - 1), 25)
  }
  field.oninput = (event) => {
    state.enter = false
    clearTimeout(state.timer)
    if (!event.isComposing) state.timer = setTimeout(send, PAUSE)
  }
  field.oncompositionend = () => (state.timer = setTimeout(send, PAUSE))
  field.onkeydown = (event) => {
    if (event.isComposing) return
    if (event.key === "Enter") {
      if (data.answered === field.value) return pickFirst()
      state.enter = true
      send()
    } else if (event.key === "ArrowDown" && buttons().length) {
      event.preventDefault()
      buttons()[0].focus()
    } else if (event.key === "Escape") {
      field.value = ""
      send()
    }
  }
  function among(event) {
    const all = buttons()
    const at = all.indexOf(document.activeElement)
    if (at < 0) return
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
    if (event.key === "Escape" || (step === -1 && at === 0)) field.focus()
    else if (step) all[Math.min(at + step, all.length - 1)].focus()
    else return
    event.preventDefault()
  }
  document.addEventListener("keydown", among)
  // What goes away while this is drawn may take the focus with it.
  function greet(tries) {
    if (document.activeElement === document.body) field.focus()
    if (tries) setTimeout(() => greet(tries - 1), 50)
  }
  if (state.greeted !== field) {
    state.greeted = field
    field.value = data.answered
    field.focus()
    greet(20)
  }
  if (state.enter && data.answered === field.value) {
    state.enter = false
    pickFirst()
  }
  return () => document.removeEventListener("keydown", among)
}
""",
)

_FOCUS = component(
    "focus",
    js="""
export default function ({ data, parentElement }) {
  if (parentElement.turn === data.turn) return
  parentElement.turn = data.turn
  function look(tries) {
    const found = document.querySelector(data.at)
    if (found) found.focus()
    else if (tries) setTimeout(() => look(tries - 1), 50)
  }
  look(20)
}
""",
)


def focus(at: str, turn: str) -> None:
    """Lead the keyboard to what this selector finds, once for each turn of the work."""
    _FOCUS(data={"at": at, "turn": turn}, key="desk_focus", height="content")
