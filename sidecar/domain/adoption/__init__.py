"""Files that were on a device before: which item each is, and what a manifest says of ours."""
