"""`/api/v1/devices/…`: what is asked and said of a device, one module for each subject."""
