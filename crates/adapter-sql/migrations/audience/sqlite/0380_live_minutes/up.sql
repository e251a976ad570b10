-- Batches of changes of a live audience are one row per minute, of all their requests.
ALTER TABLE audience_refreshes ADD COLUMN first_request INTEGER NOT NULL DEFAULT 0;
UPDATE audience_refreshes SET first_request = request;
