-- Commits wake who waits in other processes. Losing a signal costs a poll, never a row.
CREATE FUNCTION signal_others() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('plateia', TG_TABLE_SCHEMA || ' ' || TG_ARGV[0]);
    RETURN NULL;
END $$;

CREATE FUNCTION signal_operation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state = 'queued' THEN
        PERFORM pg_notify('plateia', TG_TABLE_SCHEMA || ' work');
    END IF;
    IF TG_OP = 'UPDATE' THEN
        IF NEW.cancel_requested AND NOT OLD.cancel_requested THEN
            PERFORM pg_notify('plateia', TG_TABLE_SCHEMA || ' cancel ' || NEW.id);
        END IF;
        -- Not for heartbeats.
        IF (NEW.state, NEW.done, NEW.undone_at) IS DISTINCT FROM (OLD.state, OLD.done, OLD.undone_at) THEN
            PERFORM pg_notify('plateia', TG_TABLE_SCHEMA || ' operation ' || NEW.id);
        END IF;
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION signal_feed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('plateia', TG_TABLE_SCHEMA || ' feed ' || NEW.workspace || ' ' || NEW.user_id);
    RETURN NULL;
END $$;

CREATE TRIGGER outbox_signal AFTER INSERT ON outbox
    FOR EACH STATEMENT EXECUTE FUNCTION signal_others('outbox');
CREATE TRIGGER operations_signal AFTER INSERT OR UPDATE ON operations
    FOR EACH ROW EXECUTE FUNCTION signal_operation();
CREATE TRIGGER user_events_signal AFTER INSERT ON user_events
    FOR EACH ROW EXECUTE FUNCTION signal_feed();

-- Numbers for the processes that make ids; a process keeps its own by an advisory lock.
CREATE SEQUENCE node_numbers MINVALUE 0 MAXVALUE 1023 CYCLE;
