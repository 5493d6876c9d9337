"""Moving the bytes: claim, fetch, finish, fail, resume."""
