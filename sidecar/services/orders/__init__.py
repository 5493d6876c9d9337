"""Orders: what is pressed here and must be done by the machine that has the device."""
