"""Decisions about transfers: responses, failures, retries, rate limits, whole files."""
