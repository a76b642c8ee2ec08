"""Run every job that is due, once: `make jobs`, for cron. Exit code 1 names those that failed."""

import sys

import worker
from data import database
from services import jobs, settings, startup


def main() -> int:
    try:
        startup.prepare()
    except settings.ConfigurationError as refusal:
        sys.exit(f"run_jobs.py: {refusal}")
    with database.reading() as session:
        due = jobs.due(session)
    done = {name: worker.run_job(name) for name in due}
    for name, count in done.items():
        print(f"{name}: {'FAILED' if count is None else count}")
    print(f"{len(due)} of {len(jobs.JOBS)} jobs were due.")
    return 1 if None in done.values() else 0


if __name__ == "__main__":
    sys.exit(main())
