"""The dispatch board: open work read from the database, runs over it, and what becomes of them."""
