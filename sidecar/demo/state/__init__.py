"""The state of the demo server: users, sessions, playback."""
