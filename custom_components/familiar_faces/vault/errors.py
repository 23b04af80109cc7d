"""What can go wrong in the vault, each with a plain sentence that may be shown. No message holds a name."""

from typing import ClassVar


class VaultError(Exception):
    """Something the vault could not do."""

    sentence: ClassVar[str] = "The vault could not do this."

    def __init__(self, detail: str | None = None) -> None:
        """Make the sentence, with what is known about the cause behind it."""
        super().__init__(f"{self.sentence} ({detail})" if detail else self.sentence)
        self.detail = detail


class VaultKeyMissing(VaultError):
    """There is a store but no key file. A new key would make all that is kept unreadable for good."""

    sentence = "The vault holds data, but its key file is gone; put vault.key back or start over."


class VaultKeyWrong(VaultError):
    """The key file is damaged or belongs to another vault."""

    sentence = "The vault's key file does not belong to its data; put the right vault.key back or start over."


class VaultDamaged(VaultError):
    """The store, or a row of it, is not what was written."""

    sentence = "What the vault holds is damaged; restore a backup or start over."


class VaultMissing(VaultError):
    """There was a vault, and its file is gone or empty. A new one would hide that."""

    sentence = "The vault's file is gone or empty; put vault.db back or start over."


class VaultReplaced(VaultError):
    """Something else than this vault replaced, removed or wrote its files while it was open."""

    sentence = "The vault's files were changed by something else; nothing was saved."


class VaultTampered(VaultDamaged):
    """Rows were put in, put back or taken away by something that lacks the key."""

    sentence = "Something else changed what the vault holds; restore a backup or start over."


class VaultUnwritable(VaultError):
    """The disk is full, read-only or refuses; nothing that was saved before is lost."""

    sentence = "The vault cannot be written; the disk is full, read-only or failing."


class ErasedLater(VaultUnwritable):
    """The disk has no room to erase. That it has to be done is on the disk and counts from now on."""

    sentence = (
        "This counts from now on, also after a restart; what is kept is erased as soon as the disk has room."
    )


class VaultInUse(VaultError):
    """Another process has this vault open."""

    sentence = "The vault is open in another process."


class VaultTooNew(VaultError):
    """The store was written by a later version of this integration."""

    sentence = "The vault was made by a newer version of Familiar Faces; install that version again."


class VaultMigrationFailed(VaultError):
    """The store of an earlier version could not be brought up to date; it stays as it was."""

    sentence = "The vault could not be brought up to date; it was left as it was."


class VaultClosed(VaultError):
    """The vault was closed before."""

    sentence = "The vault is closed."


class UnknownPerson(VaultError):
    """Nobody with this id is kept."""

    sentence = "The vault knows no such person."


class InvitationClosed(VaultError):
    """The link opens no invitation: it was never made, was used, was closed or has ended."""

    sentence = "This invitation is not open."


class UnknownTemplate(VaultError):
    """No template with this id is kept of this person."""

    sentence = "The vault knows no such reference photo."


class UnknownVisit(VaultError):
    """No visit with this id is kept."""

    sentence = "The vault knows no such visit."


class ConsentMissing(VaultError):
    """The newest consent on record does not allow recognising this person now."""

    sentence = "This person's consent does not allow it."


class DuplicatePhoto(VaultError):
    """This person has this very photo already."""

    sentence = "This photo is kept already."


class AlreadyRecorded(VaultError):
    """A person, consent or visit with this id is, or was, in the vault."""

    sentence = "This was recorded before."
