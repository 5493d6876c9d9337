"""Parses requests (bodies, query parameters, ranges) and renders errors."""
