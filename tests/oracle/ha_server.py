"""Starts Home Assistant on a config directory, and stops it when its input ends.

    ha_server.py DIRECTORY

It runs what the command `hass` runs. One line, `running`, goes to standard output once it has started; the log goes to
standard error. However the process that started it ends, its end of the pipe closes, and Home Assistant stops as it
does on SIGTERM. It listens to that only once it has started: before, the signal would kill it unsaved.
"""

import contextlib
import os
import signal
import sys
import threading
import time


def stop_with_input(answers):
    """Waits for the start, says so, waits for the end of the input, and stops."""
    while signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        time.sleep(0.02)
    with contextlib.suppress(OSError):  # who started it may be gone already
        os.write(answers, b"running\n")
    while os.read(0, 64):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def main():
    # What is printed on the way is part of the log, not of the answer.
    answers = os.dup(1)
    os.dup2(2, 1)
    threading.Thread(target=stop_with_input, args=(answers,), daemon=True).start()
    sys.argv = ["hass", "--skip-pip", "--config", sys.argv[1]]
    from homeassistant.__main__ import main as hass

    return hass()


if __name__ == "__main__":
    sys.exit(main())
