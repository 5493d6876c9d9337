"""The live connection to Jellyfin: news, commands, and polling where it is deaf."""
