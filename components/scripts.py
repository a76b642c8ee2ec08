"""What several of our scripts in the browser have to know."""

IS_RUNNING = """
function isRunning() {
  const state = document.querySelector("[data-testid=stApp]")?.dataset.testScriptState
  return Boolean(state) && state !== "notRunning"
}
"""
