"""Several processes on one database: what each does, which of them still live, and their orders."""
