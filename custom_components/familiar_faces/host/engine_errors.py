"""What can go wrong between Home Assistant and the engine."""


class EngineError(Exception):
    """The engine gave no faces. The text is one sentence that may be shown."""


class EngineUnavailable(EngineError):
    """The engine cannot be reached, died in mid-answer, or said that it failed: try again later."""


class EngineBroken(EngineUnavailable):
    """The engine does not start because something that it is made of is damaged.

    `what` is the module that cannot be imported, empty when that is not known; `failed` is `import`, `weights`, or
    `start` when it died before it could say more.
    """

    def __init__(self, detail: str, failed: str, what: str = "") -> None:
        """Keep what it said of itself."""
        super().__init__(detail)
        self.failed = failed
        self.what = what


class EngineTimedOut(EngineUnavailable):
    """The engine did not answer in time."""


class EngineUntrusted(EngineUnavailable):
    """What answers has a certificate that is not trusted. It was told nothing."""


class EngineBusy(EngineError):
    """The engine has enough to do and asks to be left alone for `retry_after` seconds."""

    def __init__(self, retry_after: float) -> None:
        """Keep when to ask again, in seconds."""
        super().__init__(f"The engine is busy; ask again in {retry_after:g} s")
        self.retry_after = retry_after


class EngineRefused(EngineError):
    """The engine does not accept the token."""


class EngineIncompatible(EngineError):
    """Whatever answered is not an engine of this protocol."""


class EngineTooOld(EngineIncompatible):
    """The engine speaks no protocol, or makes no proofs, that this integration needs: it has to be updated."""


class EngineTooNew(EngineIncompatible):
    """The engine speaks only protocols that this integration does not know yet, which has to be updated."""


class EngineForged(EngineIncompatible):
    """The answer has no proof that it is the engine's: somebody who does not know the token made or changed it."""


class TokenMissing(EngineRefused):
    """There is no token, without which nobody can know that an answer is the engine's."""


class AnotherModel(EngineIncompatible):
    """One of several engines has another model than the others: what it makes cannot be compared with theirs."""


class EngineMoved(EngineIncompatible):
    """What answers sends us elsewhere, which an engine never does. Nothing was sent there."""


class AnotherAnswer(EngineIncompatible):
    """What was answered is no answer to this request: something in between kept an older one, or mixed them up."""


class ImageRejected(EngineError):
    """The engine could not use the image. `reason` is for programs, the text for people."""

    def __init__(self, reason: str, detail: str) -> None:
        """Keep the engine's own name of the problem."""
        super().__init__(detail)
        self.reason = reason


class StreamsUnknown(EngineIncompatible):
    """The engine, or what lies before it, knows pictures and no streams."""


class NoNewFrame(EngineError):
    """The camera's stream gave no new frame in time: it may be asked again."""


class StreamEnded(EngineError):
    """The stream is over: all that came of it was looked at, or the engine takes no more of it."""


class EnvironmentFailed(Exception):
    """The engine's environment could not be prepared.

    `reason_key` is one of `no_uv`, `no_python`, `unsupported_platform`, `no_space`, `no_memory`, `no_permission`,
    `offline`, `hash_refused`, `disk_failing`, `install_failed`, `import_failed`, `weights_failed`,
    `self_check_failed`, `not_started`; `detail` is the text, with the last lines of what failed; `what` is the package, module or
    path that it is about, empty when none is known.
    """

    def __init__(self, reason_key: str, detail: str, what: str = "") -> None:
        """Keep the reason for a translated message."""
        super().__init__(detail)
        self.reason_key = reason_key
        self.detail = detail
        self.what = what
