"""From pictures to names: watches cameras, announces who came, and takes corrections."""
