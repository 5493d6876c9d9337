"""Tells other programs what happens: a signed JSON body for each event, tried again if lost."""
