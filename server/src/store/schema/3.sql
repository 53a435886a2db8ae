-- When the samples of each roll-up of a day were taken, first and last, and how many
-- there are: once for all series of a shard that share it. With it a rate is
-- growth over the time that passed between samples. Roll-ups that were written
-- before have -1.
ALTER TABLE five_minutes ADD COLUMN times INTEGER NOT NULL DEFAULT -1;
ALTER TABLE one_hour ADD COLUMN times INTEGER NOT NULL DEFAULT -1;

CREATE TABLE five_minutes_times (
    span   INTEGER NOT NULL,
    shard  INTEGER NOT NULL,
    number INTEGER NOT NULL,
    blob   BLOB NOT NULL,
    PRIMARY KEY (span, shard, number)
) WITHOUT ROWID;
CREATE TABLE one_hour_times (
    span   INTEGER NOT NULL,
    shard  INTEGER NOT NULL,
    number INTEGER NOT NULL,
    blob   BLOB NOT NULL,
    PRIMARY KEY (span, shard, number)
) WITHOUT ROWID;

CREATE TRIGGER five_minutes_times_put AFTER INSERT ON five_minutes_times BEGIN
    INSERT INTO held VALUES (3, NEW.span, length(NEW.blob), 1)
    ON CONFLICT DO UPDATE SET bytes = bytes + excluded.bytes, rows = rows + 1;
END;
CREATE TRIGGER five_minutes_times_gone AFTER DELETE ON five_minutes_times BEGIN
    UPDATE held SET bytes = bytes - length(OLD.blob), rows = rows - 1
    WHERE tier = 3 AND span = OLD.span;
END;
CREATE TRIGGER one_hour_times_put AFTER INSERT ON one_hour_times BEGIN
    INSERT INTO held VALUES (4, NEW.span, length(NEW.blob), 1)
    ON CONFLICT DO UPDATE SET bytes = bytes + excluded.bytes, rows = rows + 1;
END;
CREATE TRIGGER one_hour_times_gone AFTER DELETE ON one_hour_times BEGIN
    UPDATE held SET bytes = bytes - length(OLD.blob), rows = rows - 1
    WHERE tier = 4 AND span = OLD.span;
END;
