"""Log lines as JSON, and names of users that only the server can tell apart."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
from datetime import UTC, datetime

__all__ = ["JsonLines", "pseudonym"]

_FIELDS = (
    "log_id",
    "operation",
    "verb",
    "target",
    "who",
    "role",
    "method",
    "status",
    "milliseconds",
    "error",
)


def pseudonym(user: str, key: bytes) -> str:
    """Give a name that stays the same, and tells nobody without the key who it is.

    Parameters
    ----------
    user : str
        As the identity provider calls them.
    key : bytes
        Of all servers on one history; `jupyter audience who` uses it too.

    Returns
    -------
    str
        12 hexadecimal digits.

    Examples
    --------
    >>> pseudonym("ann", b"key") == pseudonym("ann", b"key") != pseudonym("bob", b"key")
    True
    """
    return hmac.new(key, user.encode(), hashlib.sha256).hexdigest()[:12]


class JsonLines(logging.Formatter):
    """One JSON object a line: time, level, logger, message, and what the server adds.

    An exception is told by its class and the line of code, never by its text, which may hold what
    somebody typed.

    Examples
    --------
    >>> record = logging.LogRecord("audience_nb", 20, "x.py", 1, "ready", None, None)
    >>> json.loads(JsonLines().format(record))["message"]
    'ready'
    """

    def format(self, record: logging.LogRecord) -> str:
        """Give the line.

        Parameters
        ----------
        record : logging.LogRecord
            What is logged.

        Returns
        -------
        str
        """
        moment = datetime.fromtimestamp(record.created, UTC)
        line = {
            "time": moment.isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= {name: getattr(record, name) for name in _FIELDS if hasattr(record, name)}
        if record.exc_info and record.exc_info[0] is not None:
            line["exception"] = record.exc_info[0].__name__
            trace = record.exc_info[2]
            while trace is not None and trace.tb_next is not None:
                trace = trace.tb_next
            if trace is not None:
                code = trace.tb_frame.f_code
                line["at"] = f"{code.co_name}:{trace.tb_lineno}"
        return json.dumps(line, ensure_ascii=False)
