-- A worker that waits keeps its lease; when that lapses, the operation is due again.
DROP INDEX operations_due;
CREATE INDEX operations_due ON operations (kind, id) WHERE state IN ('queued', 'running', 'waiting');
