"""What people read, in their language: texts of this package by Qt's own means of translation."""

from __future__ import annotations

from pathlib import Path

from synovia_client import SignInCode
from synovia_qt.binding import QtCore

TRANSLATIONS = Path(__file__).parent / "translations"
"""Where the translations are: ``synovia_qt_de.qm`` and so on."""


def install_translations(locale: QtCore.QLocale | None = None) -> QtCore.QTranslator | None:
    """Let this package speak a language; None if it does not know it, and it speaks English.

    Args:
        locale: By default the system's.
    """
    application = QtCore.QCoreApplication.instance()
    translator = QtCore.QTranslator(application)
    wanted = QtCore.QLocale() if locale is None else locale
    if not translator.load(wanted, "synovia_qt", "_", str(TRANSLATIONS)):
        return None
    QtCore.QCoreApplication.installTranslator(translator)
    return translator


def reason_of(state: str) -> str:
    """Say what a state of the connection means for somebody who is not connected."""
    translate = QtCore.QCoreApplication.translate
    if state == "failed":
        return translate("OfflineBanner", "The server does not let this program in.")
    if state == "connecting":
        return translate("OfflineBanner", "There is no connection yet. What you see may be old.")
    return translate("OfflineBanner", "The connection is interrupted. What you see may be old.")


def waiting_changes(number: int) -> str:
    """Say how many changes wait for a connection."""
    english = "%n change(s) will be sent when it is back."
    found = QtCore.QCoreApplication.translate(
        "OfflineBanner", "%n change(s) will be sent when it is back.", None, number
    )
    if found == english.replace("%n", str(number)):  # no translation is installed
        return found.replace("(s)", "" if number == 1 else "s")
    return found


def try_now() -> str:
    """Give the text of the button that tries again."""
    return QtCore.QCoreApplication.translate("OfflineBanner", "Try now")


def describe(error: BaseException) -> str:
    """Say what an error of signing in, or of a call, means, for people and in their language."""
    code = getattr(error, "code", None)
    message = _messages().get(str(code))
    return message if message is not None else getattr(error, "message", None) or str(error)


def _messages() -> dict[str, str]:
    translate = QtCore.QCoreApplication.translate
    return {
        SignInCode.CANCELLED: translate("SignIn", "Signing in was cancelled."),
        SignInCode.TIMED_OUT: translate("SignIn", "The browser did not come back in time. Please try again."),
        SignInCode.NO_BROWSER: translate("SignIn", "The browser could not be opened."),
        SignInCode.NO_SUCH_WAY: translate("SignIn", "The server does not offer this way to sign in."),
        SignInCode.HUB_UNREACHABLE: translate("SignIn", "The server cannot be reached at the moment."),
        SignInCode.ISSUER_UNREACHABLE: translate("SignIn", "The sign-in service cannot be reached at the moment."),
        SignInCode.BAD_ISSUER: translate("SignIn", "The sign-in service cannot be used with this program."),
        SignInCode.DENIED: translate("SignIn", "The sign-in service has not let you in."),
        SignInCode.ISSUER_ERROR: translate("SignIn", "The sign-in service reports an error."),
        SignInCode.STATE_MISMATCH: translate("SignIn", "The browser came back from another sign-in. Please try again."),
        SignInCode.ISSUER_MISMATCH: translate("SignIn", "The answer is from another sign-in service."),
        SignInCode.CODE_REFUSED: translate("SignIn", "The sign-in service has not confirmed the sign-in."),
        SignInCode.BAD_TOKEN: translate("SignIn", "The answer of the sign-in service cannot be used."),
        SignInCode.NONCE_MISMATCH: translate("SignIn", "The answer belongs to another sign-in. Please try again."),
        SignInCode.AUDIENCE_MISMATCH: translate("SignIn", "The answer is meant for another program."),
        SignInCode.TOKEN_EXPIRED: translate("SignIn", "The answer has expired. Is the clock of this computer right?"),
        SignInCode.INVALID_EMAIL: translate("SignIn", "This is not an e-mail address."),
        SignInCode.TOO_MANY: translate("SignIn", "Too many codes were asked for. Please wait a while."),
        SignInCode.NOT_SENT: translate("SignIn", "The code cannot be sent at the moment."),
        "invalid_token": translate("SignIn", "The code is wrong, or the sign-in is not valid any more."),
        "timeout": translate("SignIn", "The server has not answered in time."),
        "connection_lost": translate("SignIn", "The connection broke, and it is not known whether this was done."),
    }
