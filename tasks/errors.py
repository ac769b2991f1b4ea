"""One tree of errors; what an operator needs to know of each sits on its class.

Rule kept here: `str(error)` never holds text of a record, a file name or an object key, because Prefect stores
exception text in its database. What the error is about travels in `subject` (for the restricted side only).

Four families decide what happens next:

* `TransientError`: the world failed; retried with backoff.
* `RejectedInputError`: the input is bad; never retried, quarantined with its code.
* `LeakFoundError`: the gate found something; never retried, blocks the request.
* `ConfigurationError`: ours to mend; fails at start.

"Held for a person" is an outcome, not an error.
"""

from __future__ import annotations

from typing import ClassVar


class FoiError(Exception):
    """Root of the tree.

    Args:
        detail: a short addition to the class's message. Must be safe to publish: numbers, field names, codes.
        subject: what the error is about (a file name, a key). Never part of `str()` or `repr()`.
    """

    code: ClassVar[str] = "error"
    message: ClassVar[str] = "The pipeline failed."
    action: ClassVar[str] = "Read the log of the run and report it."
    exit_code: ClassVar[int] = 1

    def __init__(self, detail: str = "", *, subject: str = "") -> None:
        super().__init__(f"{self.message} {detail}".strip())
        self.detail = detail
        self.subject = subject

    def __reduce__(self) -> tuple[object, ...]:
        """Survive the trip between processes with detail and subject intact."""
        return _rebuild, (type(self), self.detail, self.subject)


def _rebuild(cls: type[FoiError], detail: str, subject: str) -> FoiError:
    return cls(detail, subject=subject)


class TransientError(FoiError):
    """Something outside failed and may work again in a moment."""

    code = "transient"
    message = "A service did not answer."
    action = "Nothing: it is tried again. If it lasts, check the service."
    exit_code = 75


class StoreUnavailableError(TransientError):
    """The object store refused, timed out or broke the connection."""

    code = "store-unavailable"
    message = "The object store did not answer."
    action = "Nothing: it is tried again. If it lasts, check that the store runs and FOI_STORE_ENDPOINT is right."


class ReaderUnavailableError(TransientError):
    """Tesseract was killed or timed out: a matter of load, not of the page."""

    code = "reader-unavailable"
    message = "Tesseract did not finish a page."
    action = "Nothing: it is tried again. If it lasts, check memory and FOI_OCR_TIMEOUT_S."


class RejectedInputError(FoiError):
    """The input cannot be processed as it is; a person upstream must send another."""

    code = "rejected"
    message = "The file was rejected."
    action = "Ask the upstream system for a good copy."
    exit_code = 4


class EmptyFileError(RejectedInputError):
    """Zero bytes."""

    code = "empty-file"
    message = "The file has no content."
    action = "Upload the file again; the transfer was cut short."


class UnsupportedMediaError(RejectedInputError):
    """Neither PDF, TIFF, JPEG nor PNG by its content, whatever its name says."""

    code = "unsupported-media"
    message = "The file is not a PDF, TIFF, JPEG or PNG."
    action = "Convert the record to PDF and upload it again."


class EncryptedFileError(RejectedInputError):
    """A PDF that opens only with a password."""

    code = "encrypted"
    message = "The file is protected by a password."
    action = "Save the record without a password and upload it again."


class CorruptFileError(RejectedInputError):
    """A file of a known type that its own decoder cannot read whole."""

    code = "corrupt"
    message = "The file is damaged."
    action = "Scan or export the record again and upload it."


class LimitExceededError(RejectedInputError):
    """More bytes, pages or pixels than the limits allow."""

    code = "over-limit"
    message = "The file is larger than the limits allow."
    action = "Split the record, or scan it at a lower resolution, and upload it again."


class UnsafeKeyError(RejectedInputError):
    """An object key that could escape its folder or hide its end."""

    code = "unsafe-key"
    message = "The object's name is not safe to use."
    action = "Rename the object without '..', control characters or a leading slash."


class RecordMissingError(RejectedInputError):
    """`request.json` lists a record that is not in the folder that is to be submitted."""

    code = "record-missing"
    message = "A listed record is not in the folder."
    action = "Put the record there, or take it out of request.json; then submit again."


class InvalidRequestError(RejectedInputError):
    """`request.json` is absent, not JSON, or not a request."""

    code = "invalid-request"
    message = "request.json is not valid."
    action = "Correct the named field and upload request.json again."


class RecordChangedError(FoiError):
    """An upload replaced a record while its request was being processed."""

    code = "record-changed"
    message = "A record changed while it was being processed."
    action = "Nothing: the request is taken in anew."
    exit_code = 75


class LeakFoundError(FoiError):
    """The gate found a fault in an output: it must not leave."""

    code = "leak-found"
    message = "The gate refused the output."
    action = "Do not release. Open the request's report, and report the finding as a defect."
    exit_code = 5


class NotApprovedError(FoiError):
    """Something asked to publish what no person, or a person who saw something else, approved."""

    code = "not-approved"
    message = "There is no approval for exactly this content."
    action = "Look at what is held now with `foi review`, then release that."
    exit_code = 3


class IncompleteResponseError(NotApprovedError):
    """Something asked to publish a response that lacks what the law requires."""

    code = "incomplete-response"
    message = "The response is incomplete and cannot be released."
    action = "Complete what is named, in request.json or the policy file, and process the request again."
    exit_code = 3


class UnknownRequestError(FoiError):
    """No such reference."""

    code = "unknown-request"
    message = "There is no request with this reference."
    action = "Run `foi status` for the known references."
    exit_code = 2


class NothingThereError(FoiError):
    """The request exists, and has nothing of what was asked for."""

    code = "nothing-there"
    message = "The request has nothing of that kind."
    action = "See where it stands: foi status, with its reference."
    exit_code = 2


class NoSuchFileError(FoiError):
    """A path that somebody typed leads nowhere."""

    code = "no-such-file"
    message = "There is no such file or folder."
    action = "Check the path."
    exit_code = 2


class OutputFolderError(FoiError):
    """A result would be written over an original."""

    code = "output-folder"
    message = "A result would take the place of an original."
    action = "Choose another folder with --output."
    exit_code = 2


class VerificationFailedError(FoiError):
    """A published bundle does not hold what it claims."""

    code = "not-verified"
    message = "The bundle does not verify."
    action = "Do not rely on it. Fetch it again from the publisher; if it still fails, tell them."
    exit_code = 6


class ReasonRefusedError(FoiError):
    """The reason for a withdrawal is nothing that can be told to everybody."""

    code = "reason-refused"
    message = "This reason cannot be published."
    action = "Give a reason in words that everybody may read, without a name or a contact detail."
    exit_code = 2


class ConfigurationError(FoiError):
    """A setting is missing or wrong."""

    code = "configuration"
    message = "The configuration is not usable."
    action = "Correct the setting; `foi doctor` checks them all."
    exit_code = 78


class KeysMissingError(ConfigurationError):
    """There is nothing to sign or to commit with: nothing is published unsigned."""

    code = "no-keys"
    message = "Keys to sign with are missing."
    action = "Make them once with `foi keys`, and set what it says; `foi doctor` looks at them."


class UnfitNameError(FoiError):
    """A file of a bundle would have a name that a manifest, a shell or a web address cannot hold."""

    code = "unfit-name"
    message = "A file cannot be published under its name."
    action = "Look at the record's title in request.json. If it is an ordinary one, report a defect."


def all_errors(root: type[FoiError] = FoiError) -> list[type[FoiError]]:
    """Every error class, parents before children: the table in the README is made of it."""
    return [root, *(e for child in root.__subclasses__() for e in all_errors(child))]
