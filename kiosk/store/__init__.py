"""The lane's store: SQLite through sqlite-utils, one writer, everything journalled."""

from kiosk.store.journal import Entry
from kiosk.store.roster import RosterRow, RosterSummary
from kiosk.store.sessions import Counts
from kiosk.store.store import Store
from kiosk.store.visits import OpenIntent

__all__ = ["Counts", "Entry", "OpenIntent", "RosterRow", "RosterSummary", "Store"]
