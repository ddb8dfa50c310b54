CREATE TABLE subject (
    id          BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    merged_into BLOB REFERENCES subject (id) CHECK (merged_into <> id)
) STRICT, WITHOUT ROWID;
CREATE INDEX subject_merged ON subject (merged_into) WHERE merged_into IS NOT NULL;

CREATE TABLE identifier (
    space   TEXT NOT NULL,
    value   TEXT NOT NULL,
    subject BLOB NOT NULL REFERENCES subject (id),
    PRIMARY KEY (space, value)
) STRICT, WITHOUT ROWID;
CREATE INDEX identifier_subject ON identifier (subject);

CREATE TABLE event (
    revision    INTEGER NOT NULL PRIMARY KEY,
    subject     BLOB NOT NULL REFERENCES subject (id),
    recorded_at INTEGER NOT NULL,
    kind        TEXT NOT NULL,
    body        TEXT NOT NULL
) STRICT;
CREATE INDEX event_subject ON event (subject, revision);

CREATE TRIGGER event_in_order BEFORE INSERT ON event
WHEN NEW.revision IS NOT (SELECT COALESCE(MAX(revision), 0) + 1 FROM event)
BEGIN SELECT RAISE(ABORT, 'revisions have no gaps'); END;
CREATE TRIGGER event_unchanged BEFORE UPDATE ON event
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER event_kept BEFORE DELETE ON event
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER identifier_unchanged BEFORE UPDATE ON identifier
BEGIN SELECT RAISE(ABORT, 'an identifier keeps its subject'); END;
CREATE TRIGGER subject_unchanged BEFORE UPDATE OF id ON subject
BEGIN SELECT RAISE(ABORT, 'a subject keeps its reference'); END;
CREATE TRIGGER subject_kept BEFORE DELETE ON subject
BEGIN SELECT RAISE(ABORT, 'a subject keeps its reference'); END;
