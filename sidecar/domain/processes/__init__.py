"""Several processes on one database: what each does, and which of them still live."""
