"""The demo's music and films, made on first start."""
