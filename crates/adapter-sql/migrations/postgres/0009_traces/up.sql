-- W3C trace context of the request that asked for it.
ALTER TABLE operations ADD COLUMN traceparent TEXT;
-- The same as in the payload, for whoever looks for the events of a trace.
ALTER TABLE outbox ADD COLUMN traceparent TEXT;
