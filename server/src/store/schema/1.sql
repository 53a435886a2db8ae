-- Samples -------------------------------------------------------------------

-- Fresh samples: what one batch holds of one hour and one shard of series.
-- Numbers of seq only grow; the sealer deletes up to the last that it saw.
CREATE TABLE recent (
    hour   INTEGER NOT NULL,
    shard  INTEGER NOT NULL,
    seq    INTEGER NOT NULL,
    min_ms INTEGER NOT NULL,
    max_ms INTEGER NOT NULL,
    blob   BLOB NOT NULL,
    PRIMARY KEY (hour, shard, seq)
) WITHOUT ROWID;

-- Sealed samples: the values of one series in one window (id = window << 32 |
-- series), and the number of the column of timestamps that goes with them.
CREATE TABLE hour_chunk (
    id    INTEGER PRIMARY KEY,
    times INTEGER NOT NULL,
    count INTEGER NOT NULL,
    blob  BLOB NOT NULL
);
CREATE TABLE day_chunk (
    id    INTEGER PRIMARY KEY,
    times INTEGER NOT NULL,
    count INTEGER NOT NULL,
    blob  BLOB NOT NULL
);

-- Columns of timestamps, shared by the series of a shard and window.
CREATE TABLE hour_times (
    span   INTEGER NOT NULL,
    shard  INTEGER NOT NULL,
    number INTEGER NOT NULL,
    blob   BLOB NOT NULL,
    PRIMARY KEY (span, shard, number)
) WITHOUT ROWID;
CREATE TABLE day_times (
    span   INTEGER NOT NULL,
    shard  INTEGER NOT NULL,
    number INTEGER NOT NULL,
    blob   BLOB NOT NULL,
    PRIMARY KEY (span, shard, number)
) WITHOUT ROWID;

-- Roll-ups of a series and day (id = day << 32 | series).
CREATE TABLE five_minutes (id INTEGER PRIMARY KEY, blob BLOB NOT NULL);
CREATE TABLE one_hour (id INTEGER PRIMARY KEY, blob BLOB NOT NULL);

-- Bytes and rows of each window of each tier, kept by the triggers below.
CREATE TABLE held (
    tier   INTEGER NOT NULL,
    span   INTEGER NOT NULL,
    bytes  INTEGER NOT NULL,
    rows   INTEGER NOT NULL,
    PRIMARY KEY (tier, span)
) WITHOUT ROWID;

CREATE TRIGGER hour_chunk_put AFTER INSERT ON hour_chunk BEGIN
    INSERT INTO held VALUES (1, NEW.id >> 32, length(NEW.blob), 1)
    ON CONFLICT DO UPDATE SET bytes = bytes + excluded.bytes, rows = rows + 1;
END;
CREATE TRIGGER hour_chunk_gone AFTER DELETE ON hour_chunk BEGIN
    UPDATE held SET bytes = bytes - length(OLD.blob), rows = rows - 1
    WHERE tier = 1 AND span = OLD.id >> 32;
END;
CREATE TRIGGER hour_times_put AFTER INSERT ON hour_times BEGIN
    INSERT INTO held VALUES (1, NEW.span, length(NEW.blob), 1)
    ON CONFLICT DO UPDATE SET bytes = bytes + excluded.bytes, rows = rows + 1;
END;
CREATE TRIGGER hour_times_gone AFTER DELETE ON hour_times BEGIN
    UPDATE held SET bytes = bytes - length(OLD.blob), rows = rows - 1
    WHERE tier = 1 AND span = OLD.span;
END;
CREATE TRIGGER day_chunk_put AFTER INSERT ON day_chunk BEGIN
    INSERT INTO held VALUES (2, NEW.id >> 32, length(NEW.blob), 1)
    ON CONFLICT DO UPDATE SET bytes = bytes + excluded.bytes, rows = rows + 1;
END;
CREATE TRIGGER day_chunk_gone AFTER DELETE ON day_chunk BEGIN
    UPDATE held SET bytes = bytes - length(OLD.blob), rows = rows - 1
    WHERE tier = 2 AND span = OLD.id >> 32;
END;
CREATE TRIGGER day_times_put AFTER INSERT ON day_times BEGIN
    INSERT INTO held VALUES (2, NEW.span, length(NEW.blob), 1)
    ON CONFLICT DO UPDATE SET bytes = bytes + excluded.bytes, rows = rows + 1;
END;
CREATE TRIGGER day_times_gone AFTER DELETE ON day_times BEGIN
    UPDATE held SET bytes = bytes - length(OLD.blob), rows = rows - 1
    WHERE tier = 2 AND span = OLD.span;
END;
CREATE TRIGGER five_minutes_put AFTER INSERT ON five_minutes BEGIN
    INSERT INTO held VALUES (3, NEW.id >> 32, length(NEW.blob), 1)
    ON CONFLICT DO UPDATE SET bytes = bytes + excluded.bytes, rows = rows + 1;
END;
CREATE TRIGGER five_minutes_gone AFTER DELETE ON five_minutes BEGIN
    UPDATE held SET bytes = bytes - length(OLD.blob), rows = rows - 1
    WHERE tier = 3 AND span = OLD.id >> 32;
END;
CREATE TRIGGER one_hour_put AFTER INSERT ON one_hour BEGIN
    INSERT INTO held VALUES (4, NEW.id >> 32, length(NEW.blob), 1)
    ON CONFLICT DO UPDATE SET bytes = bytes + excluded.bytes, rows = rows + 1;
END;
CREATE TRIGGER one_hour_gone AFTER DELETE ON one_hour BEGIN
    UPDATE held SET bytes = bytes - length(OLD.blob), rows = rows - 1
    WHERE tier = 4 AND span = OLD.id >> 32;
END;

-- The latest sealed sample of each series: INTEGER, REAL, or the 8 bytes of a
-- whole number above 2^63. Of text series the latest text, always.
CREATE TABLE latest (
    series       INTEGER PRIMARY KEY,
    timestamp_ms INTEGER NOT NULL,
    value        NOT NULL
);

-- Series that were deleted and whose chunks are still to be swept up.
CREATE TABLE doomed (series INTEGER PRIMARY KEY);

-- Blobs that could not be read, set aside as they were found.
CREATE TABLE damaged (
    number   INTEGER PRIMARY KEY,
    source   TEXT NOT NULL,
    key      INTEGER NOT NULL,
    subkey   INTEGER NOT NULL,
    found_ms INTEGER NOT NULL,
    reason   TEXT NOT NULL,
    blob     BLOB NOT NULL
);

-- Single values: next_seq, raw_start_ms.
CREATE TABLE setting (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;

-- Catalogue -----------------------------------------------------------------

CREATE TABLE language (
    idx_language INTEGER PRIMARY KEY AUTOINCREMENT,
    code         TEXT NOT NULL UNIQUE,
    name         TEXT NOT NULL,
    enabled      INTEGER NOT NULL DEFAULT 1,
    ts_created   INTEGER NOT NULL,
    ts_modified  INTEGER NOT NULL
);

CREATE TABLE pair_xlate_group (
    idx_pair_xlate_group INTEGER PRIMARY KEY AUTOINCREMENT,
    name                 TEXT NOT NULL UNIQUE,
    enabled              INTEGER NOT NULL DEFAULT 1,
    ts_created           INTEGER NOT NULL,
    ts_modified          INTEGER NOT NULL
);

CREATE TABLE pair_xlate (
    idx_pair_xlate       INTEGER PRIMARY KEY AUTOINCREMENT,
    idx_pair_xlate_group INTEGER NOT NULL REFERENCES pair_xlate_group,
    idx_language         INTEGER NOT NULL REFERENCES language,
    key                  TEXT NOT NULL,
    translation          TEXT NOT NULL,
    units                TEXT NOT NULL DEFAULT '',
    enabled              INTEGER NOT NULL DEFAULT 1,
    ts_created           INTEGER NOT NULL,
    ts_modified          INTEGER NOT NULL,
    UNIQUE (idx_pair_xlate_group, idx_language, key)
);
CREATE INDEX pair_xlate_language ON pair_xlate (idx_language);

CREATE TABLE agent_xlate (
    idx_agent_xlate INTEGER PRIMARY KEY AUTOINCREMENT,
    idx_language    INTEGER NOT NULL REFERENCES language,
    agent_program   TEXT NOT NULL,
    translation     TEXT NOT NULL,
    enabled         INTEGER NOT NULL DEFAULT 1,
    ts_created      INTEGER NOT NULL,
    ts_modified     INTEGER NOT NULL,
    UNIQUE (idx_language, agent_program)
);

CREATE TABLE agent (
    idx_agent            INTEGER PRIMARY KEY AUTOINCREMENT,
    idx_pair_xlate_group INTEGER NOT NULL DEFAULT 1 REFERENCES pair_xlate_group,
    agent_id             TEXT NOT NULL,
    agent_polled_target  TEXT NOT NULL,
    agent_program        TEXT NOT NULL,
    enabled              INTEGER NOT NULL DEFAULT 1,
    ts_created           INTEGER NOT NULL,
    ts_modified          INTEGER NOT NULL,
    UNIQUE (agent_id, agent_polled_target, agent_program)
);
CREATE INDEX agent_target ON agent (agent_polled_target);

-- A series. checksum = sha512(agent id + polled target + checksum), hex.
CREATE TABLE datapoint (
    idx_datapoint    INTEGER PRIMARY KEY AUTOINCREMENT,
    idx_agent        INTEGER NOT NULL REFERENCES agent,
    checksum         TEXT NOT NULL UNIQUE,
    data_type        INTEGER NOT NULL,
    polling_interval INTEGER NOT NULL,
    enabled          INTEGER NOT NULL DEFAULT 1,
    ts_created       INTEGER NOT NULL,
    ts_modified      INTEGER NOT NULL
);
CREATE INDEX datapoint_agent ON datapoint (idx_agent);

CREATE TABLE pair (
    idx_pair    INTEGER PRIMARY KEY AUTOINCREMENT,
    key         TEXT NOT NULL,
    value       TEXT NOT NULL,
    ts_created  INTEGER NOT NULL,
    ts_modified INTEGER NOT NULL,
    UNIQUE (key, value)
);

CREATE TABLE glue (
    idx_pair      INTEGER NOT NULL REFERENCES pair,
    idx_datapoint INTEGER NOT NULL REFERENCES datapoint ON DELETE CASCADE,
    ts_created    INTEGER NOT NULL,
    ts_modified   INTEGER NOT NULL,
    PRIMARY KEY (idx_pair, idx_datapoint)
) WITHOUT ROWID;
CREATE INDEX glue_datapoint ON glue (idx_datapoint);

CREATE TABLE user (
    idx_user         INTEGER PRIMARY KEY AUTOINCREMENT,
    first_name       TEXT NOT NULL DEFAULT '',
    last_name        TEXT NOT NULL DEFAULT '',
    username         TEXT NOT NULL UNIQUE,
    role             INTEGER NOT NULL DEFAULT 1,
    password_hash    TEXT NOT NULL DEFAULT '',
    password_expired INTEGER NOT NULL DEFAULT 0,
    enabled          INTEGER NOT NULL DEFAULT 1,
    ts_created       INTEGER NOT NULL,
    ts_modified      INTEGER NOT NULL
);

CREATE TABLE chart (
    idx_chart   INTEGER PRIMARY KEY AUTOINCREMENT,
    name        TEXT NOT NULL DEFAULT '',
    checksum    TEXT NOT NULL DEFAULT '',
    enabled     INTEGER NOT NULL DEFAULT 1,
    ts_created  INTEGER NOT NULL,
    ts_modified INTEGER NOT NULL
);

CREATE TABLE chart_datapoint (
    idx_chart_datapoint INTEGER PRIMARY KEY AUTOINCREMENT,
    idx_datapoint       INTEGER NOT NULL REFERENCES datapoint ON DELETE CASCADE,
    idx_chart           INTEGER NOT NULL REFERENCES chart ON DELETE CASCADE,
    enabled             INTEGER NOT NULL DEFAULT 1,
    ts_created          INTEGER NOT NULL,
    ts_modified         INTEGER NOT NULL,
    UNIQUE (idx_chart, idx_datapoint)
);
CREATE INDEX chart_datapoint_datapoint ON chart_datapoint (idx_datapoint);

CREATE TABLE favorite (
    idx_favorite INTEGER PRIMARY KEY AUTOINCREMENT,
    idx_user     INTEGER NOT NULL REFERENCES user ON DELETE CASCADE,
    idx_chart    INTEGER NOT NULL REFERENCES chart ON DELETE CASCADE,
    "order"      INTEGER NOT NULL DEFAULT 0,
    enabled      INTEGER NOT NULL DEFAULT 1,
    ts_created   INTEGER NOT NULL,
    ts_modified  INTEGER NOT NULL,
    UNIQUE (idx_user, idx_chart)
);
CREATE INDEX favorite_chart ON favorite (idx_chart);

-- The group of agents that nobody has assigned to another.
INSERT INTO pair_xlate_group (idx_pair_xlate_group, name, ts_created, ts_modified)
VALUES (1, 'Pattoo Default', 0, 0);
