-- Roll-ups of five minutes of the samples in a chunk of an hour, so that a chart
-- of days that are not compacted yet need not unpack the samples. Chunks that
-- were written before have none.
ALTER TABLE hour_chunk ADD COLUMN rollup BLOB;

DROP TRIGGER hour_chunk_put;
DROP TRIGGER hour_chunk_gone;
CREATE TRIGGER hour_chunk_put AFTER INSERT ON hour_chunk BEGIN
    INSERT INTO held VALUES (1, NEW.id >> 32, length(NEW.blob) + ifnull(length(NEW.rollup), 0), 1)
    ON CONFLICT DO UPDATE SET bytes = bytes + excluded.bytes, rows = rows + 1;
END;
CREATE TRIGGER hour_chunk_gone AFTER DELETE ON hour_chunk BEGIN
    UPDATE held SET bytes = bytes - length(OLD.blob) - ifnull(length(OLD.rollup), 0),
                    rows = rows - 1
    WHERE tier = 1 AND span = OLD.id >> 32;
END;
