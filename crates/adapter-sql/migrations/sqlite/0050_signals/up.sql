-- One process owns the file: what it commits it can tell itself.
SELECT 1;
