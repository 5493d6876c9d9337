"""Holds, tombstones, exclusions, and the settings of rules."""
