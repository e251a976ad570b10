-- When and how often people may be written to.
ALTER TABLE workspaces ADD COLUMN sending TEXT NOT NULL DEFAULT '{}';
