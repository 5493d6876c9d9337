"""The library's pages: browsing and searching, hearts and download buttons."""
