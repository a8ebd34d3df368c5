"""What the journal itself says, read as SQLite's own library reads it."""
from __future__ import annotations

import sqlite3
from pathlib import Path


def faults(path: Path, kept: dict[int, str]) -> list[str]:
    """Kept queries that the journal doesn't have, or has without an end.

    - Parameter kept: queries whose client was told that they are written down, and their identifiers.
    """
    with sqlite3.connect(path) as journal:
        sound = journal.execute("PRAGMA integrity_check").fetchone()[0]
        ended = dict(journal.execute("SELECT id, ended_ms IS NOT NULL FROM query"))
        unfinished = journal.execute("SELECT count(*) FROM query WHERE ended_ms IS NULL").fetchone()[0]
    found = [] if sound == "ok" else [f"the journal's file is damaged: {sound}"]
    for number, identifier in sorted(kept.items()):
        if identifier not in ended:
            found.append(f"query {number}: accepted durably, and not in the journal")
        elif not ended[identifier]:
            found.append(f"query {number}: accepted durably, and without an end in the journal")
    if unfinished and not found:
        found.append(f"{unfinished} queries in the journal have no end although every client is done")
    return found
