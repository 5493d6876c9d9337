"""Replays of past plays for the page: in a child process of low priority, results are kept."""
