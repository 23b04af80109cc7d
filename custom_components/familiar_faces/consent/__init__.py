"""What is agreed to, how it is asked for, and what follows from it."""
