"""Tells whether a name and password get into a Home Assistant, by running Home Assistant's own code on its directory.

Reads one JSON object per line and answers each with one, so that the second it takes to import Home Assistant is spent
once per test run:

    {"dir": "/srv/ha", "logins": [["owner", "secret"], ...]}
    {"logins": [{"in": true, "user": "7d4d...", "new": false, "mfa": ["totp"], "why": null}, ...]}

`in` is what the login page says to name and password alone; `mfa` lists the second factors it would ask for next; `new`
says that the login would make a new user. The directory is copied first: loading may rename files it cannot read.
"""

import asyncio
import json
import os
import shutil
import sys
import tempfile

ACCOUNT_FILES = ("auth", "auth_provider.homeassistant", "auth_module.totp", "auth_module.notify", "person")


def copy_accounts(source, target):
    """Copies what belongs to accounts. The registries of a newer release would not load."""
    os.makedirs(os.path.join(target, ".storage"))
    for name in ACCOUNT_FILES:
        path = os.path.join(source, ".storage", name)
        if os.path.exists(path):
            shutil.copyfile(path, os.path.join(target, ".storage", name))


def release(directory):
    """The release that wrote the directory, as two numbers."""
    try:
        with open(os.path.join(directory, ".HA_VERSION"), encoding="utf-8") as file:
            return tuple(int(part) for part in file.read().strip().split(".")[:2])
    except (OSError, ValueError):
        return (0, 0)


async def open_manager(directory, newest_rules):
    """Home Assistant's auth manager on a directory, as its own `--script auth` opens it."""
    from homeassistant.auth import auth_manager_from_config
    from homeassistant.core import HomeAssistant
    from homeassistant.helpers import device_registry, entity_registry

    hass = HomeAssistant(directory)
    hass.config.skip_pip = True
    await asyncio.gather(device_registry.async_load(hass), entity_registry.async_load(hass))
    hass.auth = await auth_manager_from_config(hass, [{"type": "homeassistant"}], [{"type": "totp"}])
    provider = hass.auth.get_auth_provider("homeassistant", None)
    await provider.async_initialize()
    if newest_rules and getattr(provider.data, "is_legacy", False):
        # Releases from 2026.10 have no legacy mode: they compare names normalised whatever is stored.
        provider.data.is_legacy = False
    return hass, provider


async def log_in(hass, provider, name, password):
    """What the login page does with a name and a password."""
    from homeassistant.auth.providers.homeassistant import InvalidAuth

    answer = {"in": False, "user": None, "new": False, "mfa": [], "why": None}
    try:
        await provider.async_validate_login(name, password)
    except InvalidAuth:
        answer["why"] = "invalid_auth"
        return answer
    except Exception as why:  # the login page answers 500 to these
        answer["why"] = type(why).__name__
        return answer
    credentials = await provider.async_get_or_create_credentials({"username": name})
    user = await hass.auth.async_get_user_by_credentials(credentials)
    if user is None:
        answer.update({"in": True, "new": True})
        return answer
    answer["user"] = user.id
    if not user.is_active:
        answer["why"] = "inactive"
        return answer
    answer["in"] = True
    answer["mfa"] = sorted(await hass.auth.async_get_enabled_mfa(user))
    return answer


async def answer(request):
    with tempfile.TemporaryDirectory(prefix="latchlift-ha-") as copy:
        copy_accounts(request["dir"], copy)
        hass, provider = await open_manager(copy, release(request["dir"]) >= (2026, 10))
        answers = [await log_in(hass, provider, name, password) for name, password in request["logins"]]
        # Not stopped in order, which would write: the copy is thrown away.
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        if executor := getattr(hass, "import_executor", None):
            executor.shutdown(wait=False)
        return {"logins": answers}


def main():
    import logging

    logging.disable(logging.CRITICAL)
    for line in sys.stdin:
        try:
            result = asyncio.run(answer(json.loads(line)))
        except Exception as why:  # reported to the test, which decides
            result = {"error": f"{type(why).__name__}: {why}"}
        print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
