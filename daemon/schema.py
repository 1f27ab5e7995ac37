"""The queue's tables, and how its file is opened.

WAL with synchronous=FULL: what a client was told is on the disk. States are CHECKed, so a defect in the daemon is
refused by the database instead of being stored.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from artifexpro.core.errors import ArtifexError

SCHEMA_VERSION = 1

_TABLES = """
CREATE TABLE jobs (
    number      INTEGER PRIMARY KEY,
    id          TEXT NOT NULL UNIQUE,
    owner       TEXT NOT NULL,
    key         TEXT NOT NULL,
    digest      TEXT NOT NULL,
    request     TEXT NOT NULL,
    kind        TEXT NOT NULL,
    lane        TEXT NOT NULL CHECK (lane IN ('gpu', 'io')),
    likeness    TEXT NOT NULL,
    priority    INTEGER NOT NULL,
    state       TEXT NOT NULL CHECK (state IN ('queued', 'running', 'finished', 'failed', 'cancelled')),
    attempt     INTEGER NOT NULL DEFAULT 0,
    deaths      INTEGER NOT NULL DEFAULT 0,
    holder      TEXT,
    cancelling  INTEGER NOT NULL DEFAULT 0 CHECK (cancelling IN (0, 1)),
    created     REAL NOT NULL,
    started     REAL,
    finished    REAL,
    result      TEXT,
    error       TEXT,
    reproduces  TEXT REFERENCES jobs (id),
    UNIQUE (owner, key),
    CHECK ((state = 'running') = (holder IS NOT NULL)),
    CHECK ((state = 'finished') = (result IS NOT NULL)),
    CHECK ((state = 'failed') = (error IS NOT NULL))
);
CREATE INDEX jobs_waiting ON jobs (lane, priority DESC, number) WHERE state = 'queued';
CREATE INDEX jobs_like ON jobs (likeness, number) WHERE state = 'finished';
CREATE TABLE events (
    seq   INTEGER PRIMARY KEY AUTOINCREMENT,
    job   TEXT NOT NULL REFERENCES jobs (id),
    kind  TEXT NOT NULL CHECK (kind IN ('queued', 'started', 'finished', 'failed', 'cancelled')),
    body  TEXT NOT NULL,
    time  REAL NOT NULL
);
CREATE INDEX events_of ON events (job, seq);
"""


def open_database(path: Path) -> sqlite3.Connection:
    """The queue's file, made if it is new. Raises `ArtifexError` (code "queue") if it cannot be used."""
    try:
        database = sqlite3.connect(path, isolation_level=None, timeout=5)
        database.row_factory = sqlite3.Row
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=FULL")
        database.execute("PRAGMA foreign_keys=ON")
        version = int(database.execute("PRAGMA user_version").fetchone()[0])
        if version == 0:
            database.executescript(f"BEGIN;{_TABLES}PRAGMA user_version={SCHEMA_VERSION};COMMIT;")
            version = SCHEMA_VERSION
    except sqlite3.Error as error:
        raise ArtifexError(
            f"open the queue {path}",
            f"the file cannot be used ({error})",
            "freeing space on that disk; if the file is damaged, moving it away: the daemon then starts an empty queue",
            code="queue",
        ) from error
    if version != SCHEMA_VERSION:
        database.close()
        raise ArtifexError(
            f"open the queue {path}",
            f"it was written by a newer release (its format is {version}, this release knows {SCHEMA_VERSION})",
            "the newer release, or another home",
            code="queue",
        )
    return database
