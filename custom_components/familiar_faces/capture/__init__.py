"""Pictures from cameras, and the triggers that start taking them."""
