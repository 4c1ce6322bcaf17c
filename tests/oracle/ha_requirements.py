"""Prints what a Home Assistant needs beside itself to start, one requirement per line, and only what is not there yet.

Home Assistant installs the requirements of an integration when it first sets it up. The tests start it with `--skip-pip`
so that a run needs no network; what it would install comes from the same place as its own list: the manifests of the
integrations it always starts and of those the tests configure.
"""

import json
import pathlib
import sys

import homeassistant
from homeassistant import bootstrap
from homeassistant.util.package import is_installed

COMPONENTS = pathlib.Path(homeassistant.__file__).parent / "components"
CONFIGURED = {"api", "auth", "config", "http", "onboarding", "person", "websocket_api"}
# What its own start-up imports without naming it: the module of the second factor.
UNNAMED = {"pyotp"}


def manifest(domain):
    """What an integration says about itself."""
    return json.loads((COMPONENTS / domain / "manifest.json").read_text(encoding="utf-8"))


def with_dependencies(domains):
    """These integrations and all they depend on."""
    found, todo = {}, sorted(domains)
    while todo:
        domain = todo.pop()
        if domain not in found:
            found[domain] = manifest(domain)
            todo.extend(found[domain].get("dependencies", []))
            # Only set up where configured, but imported all the same.
            todo.extend(found[domain].get("after_dependencies", []))
    return found.values()


def main():
    started = bootstrap.CORE_INTEGRATIONS | bootstrap.DEFAULT_INTEGRATIONS | CONFIGURED
    needed = UNNAMED.union(*(entry.get("requirements", []) for entry in with_dependencies(started)))
    sys.stdout.writelines(f"{need}\n" for need in sorted(needed) if not is_installed(need))


if __name__ == "__main__":
    main()
