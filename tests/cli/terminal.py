"""Runs a program at a terminal of its own and answers its questions.

Reads JSON from standard input: the program's arguments, its environment and directory, and what to type when something
is shown. Writes JSON: everything shown, and the exit code; 128 + n where signal n ended it.
"""

import json
import os
import pty
import select
import sys
import time

ask = json.load(sys.stdin)
pid, screen = pty.fork()
if pid == 0:
    os.chdir(ask["directory"])
    os.execve(ask["arguments"][0], ask["arguments"], ask["environment"])

shown, answers, seen = b"", list(ask["answers"]), 0
deadline = time.monotonic() + 30
while time.monotonic() < deadline:
    ready, _, _ = select.select([screen], [], [], 0.05)
    if ready:
        try:
            data = os.read(screen, 65536)
        except OSError:
            break
        if not data:
            break
        shown += data
    if answers and answers[0][0].encode() in shown[seen:]:
        wait_for, keys = answers.pop(0)
        seen = shown.index(wait_for.encode(), seen) + len(wait_for.encode())
        # The question is shown before the terminal is silent, or the other way about; both take a moment.
        time.sleep(0.05)
        if keys is None:
            os.close(screen)
            break
        os.write(screen, keys.encode())
else:
    os.kill(pid, 9)
_, status = os.waitpid(pid, 0)
code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)
text = shown.decode(errors="replace").replace("\r\n", "\n")
json.dump({"shown": text, "code": code, "left": len(answers)}, sys.stdout)
