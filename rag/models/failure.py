"""A model's failures: how each reads to a person, and whether trying again would help. Any provider's, of any kind."""

from __future__ import annotations

from collections.abc import Iterator

# Signs, in what a server says, that the prompt is longer than its model's window.
_TOO_LONG = ("context_length_exceeded", "maximum context length", "exceeds the context", "exceed_context_size",
             "prompt is too long")

_PASSING = (408, 409, 429, 500, 502, 503, 504, 529)

_SAID = {
    400: "was sent something it does not accept",
    401: "refused the key; is the right one set?",
    402: "asks for payment; is there credit left?",
    403: "does not allow this key to use it",
    404: "is not known to the server; are its name and the server's address right?",
    408: "took too long",
    413: "found the question with its evidence too large",
    422: "was sent something it does not accept",
    429: "is rate limited; try again in a while",
}


def explain(error: BaseException, name: str) -> str:
    """One sentence for a person on why the model failed. Nothing the server wrote is in it: it might hold the key."""
    return f"The model {name} {_why(error)}".rstrip(".") + ("" if _why(error).endswith("?") else ".")


def status(error: BaseException) -> int | None:
    """The HTTP status that the server answered with; None where it gave none."""
    for each in _chain(error):
        found = (getattr(each, "status_code", None), getattr(_response(each), "status_code", None),
                 getattr(each, "code", None))
        if (code := next((code for code in found if isinstance(code, int) and 100 <= code < 600), None)) is not None:
            return code
    return None


def reached(error: BaseException) -> bool:
    """Whether the server may have begun to work before it failed, and may want to be paid."""
    return status(error) in (None, 200) and not any(
        _is(each, "ConnectError", "ConnectTimeout", "ConnectionRefusedError", "gaierror") for each in _chain(error))


def wait(error: BaseException, attempt: int) -> float | None:
    """Seconds to wait before trying again, after so many tries before; None where that would not help."""
    code = status(error)
    if code is None:
        return 0.2 * 2**attempt if _is(error, "ConnectionError", "ConnectError") else None
    if code not in _PASSING or "insufficient_quota" in _told(error):
        return None
    headers = [getattr(_response(each), "headers", None) or {} for each in _chain(error)]
    try:
        return max(0.0, float(next((told for each in headers if (told := each.get("retry-after"))), "")))
    except ValueError:
        return 0.5 * 2.0**attempt


def _why(error: BaseException) -> str:
    told = _told(error)
    code = status(error)
    if _is(error, "ContextOverflowError") or any(sign in told for sign in _TOO_LONG):
        return "has too small a context window for the question with its evidence; set VOUCH_CONTEXT to its size"
    if "insufficient_quota" in told:
        return "has no quota left on this key; is there credit left?"
    if code is not None and 300 <= code < 400:
        return f"was redirected to another address ({code}), which is not followed; is OPENAI_BASE_URL right?"
    if code is not None and code != 200:
        return _SAID.get(code, f"failed with the server error {code}" if code >= 500 else
                         f"was refused by its server with status {code}")
    if _is(error, "TimeoutError", "TimeoutException", "ReadTimeout", "ConnectTimeout"):
        return "did not answer in time; is its server overloaded? VOUCH_TIMEOUT allows more"
    if _is(error, "ConnectionError", "ConnectError", "ProtocolError", "ReadError", "NetworkError"):
        return "could not be reached, or its server broke the connection; is it running at that address?"
    if _is(error, "APIError"):
        return "reported an error in the middle of its answer"
    return f"gave something that is no answer ({type(error).__name__}); is OPENAI_BASE_URL the address of its API?"


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error, and those that led to it: packages put errors of their own around their client's."""
    each: BaseException | None = error
    for _ in range(8):
        if each is None:
            return
        yield each
        each = each.__cause__ or each.__context__


def _response(error: BaseException) -> object:
    return getattr(error, "response", None)


def _told(error: BaseException) -> str:
    """All that the error says, for looking into; never shown."""
    return f"{error} {getattr(error, 'body', '')}"


def _is(error: BaseException, *names: str) -> bool:
    """Whether the name of the error's class, or of one it derives from, ends in one of the names."""
    # Every provider's client has classes of its own; importing them all to ask would be slow.
    return any(kind.__name__.endswith(names) for kind in type(error).__mro__)
