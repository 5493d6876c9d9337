"""Files whose items have other ids by now: after a rename, a re-scan, a new installation."""
