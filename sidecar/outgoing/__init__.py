"""Sends messages to services outside, such as ntfy and Telegram. Decides nothing."""
