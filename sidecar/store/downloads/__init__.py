"""The downloads table: queue, transitions, queries."""
