"""Carries out transfers: claims downloads, fetches and finishes files, handles failures."""
