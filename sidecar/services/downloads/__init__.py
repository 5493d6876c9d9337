"""Downloads as people see them, and the actions on them: add, pause, retry, remove, undo."""
