"""Help: what each page is for, the keyboard, the documentation, and what the sidecar is made of."""
