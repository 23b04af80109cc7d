"""The demo: a real Home Assistant, a played front door, and somebody who rings."""
