"""Reads untrusted files in a child process with limits, so that a bad file harms only the child."""
