"""Files of others are read in a child process with limits: what breaks there breaks alone."""
