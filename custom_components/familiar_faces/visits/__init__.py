"""What happened at a camera: looks, the individuals in them, and one decision a visit."""
