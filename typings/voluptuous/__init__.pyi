# At run time Home Assistant puts its own engine in the place of voluptuous; the types follow.
from probatio import *
