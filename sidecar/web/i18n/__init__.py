"""Words for people: languages, messages, labels, sizes and times."""
