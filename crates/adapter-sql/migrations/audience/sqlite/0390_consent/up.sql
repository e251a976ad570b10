-- Who may be sent marketing.
ALTER TABLE workspaces ADD COLUMN consent TEXT NOT NULL DEFAULT 'opt_out';
