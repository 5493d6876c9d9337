"""Who is asking, what they may do, and how each answer is protected."""
