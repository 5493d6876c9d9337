"""Which item a known file is, when its id has changed on the server."""
