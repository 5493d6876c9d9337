"""Several processes on one database: what each has found and all show, and calls to look again."""
