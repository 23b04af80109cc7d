"""Words: sentences and pages in the languages that there are, and the files that they come from."""
