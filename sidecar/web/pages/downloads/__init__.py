"""The downloads page: its list, what is done with downloads, and how the list is asked for."""
