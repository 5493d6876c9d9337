"""The devices: which are attached, their settings, access rights and reserved space."""
