-- Who may be sent marketing.
ALTER TABLE workspaces ADD COLUMN consent TEXT COLLATE "C" NOT NULL DEFAULT 'opt_out';
