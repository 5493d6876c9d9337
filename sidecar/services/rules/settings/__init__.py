"""The settings of devices and rules: in force, shown, changed."""
