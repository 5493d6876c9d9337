"""The web server: connections, WebSockets, streamed bodies."""
