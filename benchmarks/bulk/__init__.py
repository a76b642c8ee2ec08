"""A city some time after its opening: the demo's stage and many orders more, by bulk inserts.

On top of the stage, so that its sign-ins work and their pages hold realistic amounts. The same
seed, number and time give the same rows; no two visits of a caregiver overlap.
"""

from sqlalchemy import select

from benchmarks.bulk import orders, people
from benchmarks.bulk.city import City
from data import database
from data.caregivers import Caregiver
from services import startup, track_records

ORDERS = 20_000
CHUNK = 2_000


def fill(number: int = ORDERS) -> None:
    """Stage the demo in the empty database at DATABASE_URL and add this many orders to it."""
    startup.prepare()
    writable = database.engine().execution_options(sqlite_begin="IMMEDIATE")
    with writable.begin() as connection:
        city = City(connection, number / ORDERS)
        people.move_in(city)
        for count, slot in enumerate(orders.slots(city, number)):
            orders.order(city, slot)
            if count % CHUNK == CHUNK - 1:
                city.write()
        for _ in range(orders.OPEN_DEMANDS):
            orders.open_demand(city)
        city.finish()
    with database.writing() as session:
        for caregiver_id in session.scalars(select(Caregiver.id)):
            track_records.recount(session, caregiver_id)
