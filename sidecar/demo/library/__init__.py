"""The demo's items and what it says of them."""
