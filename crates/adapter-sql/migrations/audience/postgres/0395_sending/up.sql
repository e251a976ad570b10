-- When and how often people may be written to.
ALTER TABLE workspaces ADD COLUMN sending JSONB NOT NULL DEFAULT '{}';
