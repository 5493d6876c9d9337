"""What others wrote on a device, read with bounds."""
