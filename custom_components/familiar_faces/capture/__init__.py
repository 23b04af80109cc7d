"""Pictures from cameras, and what has one be taken."""
