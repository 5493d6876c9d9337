"""`/api/v1/tasks`, `/log`, `/backups`, `/webhooks` and others, `/health`, `/metrics`."""
