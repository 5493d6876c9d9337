"""The live connection to Jellyfin: events, commands, and polling where it reports nothing."""
