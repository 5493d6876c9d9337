"""The favourites of each account, followed live and by listings."""
