# Thin: cargo does the work. `make` alone says what there is.
#
#   make demo                       the main job on three throw-away apps; needs nothing but cargo
#   make setup                      what `make test` needs from the system: MariaDB, PostgreSQL, Home Assistant
#   make test                       everything
#   make check                      what a packager can run: offline, unprivileged, embedded stores only
#   make build                      the release build
#   make install                    DESTDIR= PREFIX=/usr/local PLUGINDIR=$(PREFIX)/lib/latchlift
#   make install-plugin PLUGIN=app  one plugin alone, for a package of its own
#   make bench                      the figures

CARGO   ?= cargo
INSTALL ?= install
PREFIX  ?= /usr/local
PLUGINDIR ?= $(PREFIX)/lib/latchlift
CARGO_TARGET_DIR ?= target

PLUGINS := $(patsubst plugins/%/plugin.toml,%,$(wildcard plugins/*/plugin.toml))
RELEASE := $(CARGO_TARGET_DIR)/release
PRODUCTS := -p latchlift $(PLUGINS:%=-p latchlift-%)
# latchlift looks for plugins where it was told to at build time.
export LATCHLIFT_PLUGINDIR = $(PLUGINDIR)

.PHONY: help demo setup check test build install install-plugin bench

help:
	@sed -n 's/^#   make/make/p' Makefile

demo:
	$(CARGO) build --quiet --workspace
	$(CARGO_TARGET_DIR)/debug/latchlift-demo

setup:
	tests/setup.sh

# `cargo test` builds no plugin of another package, so the workspace is built first.
test: setup
	$(CARGO) build --workspace --locked
	$(CARGO) test --workspace --locked

check:
	$(CARGO) build --workspace --locked --offline
	$(CARGO) test --workspace --exclude latchlift-tests --locked --offline
	LATCHLIFT_TEST_STORE=embedded $(CARGO) test -p latchlift-tests --locked --offline -- --skip mysql:: --skip postgres::
	@echo "make check left out: MariaDB, PostgreSQL and starting Home Assistant, and its own code as a judge of logins where $(CARGO_TARGET_DIR)/ha-venv is missing; make test has them"

build:
	$(CARGO) build --release --locked $(PRODUCTS)

install: build
	$(INSTALL) -D -m 755 $(RELEASE)/latchlift $(DESTDIR)$(PREFIX)/bin/latchlift
	$(MAKE) --no-print-directory $(PLUGINS:%=install-built-%)
	$(INSTALL) -d $(DESTDIR)$(PREFIX)/share/doc/latchlift/configs
	$(INSTALL) -m 644 configs/*.toml $(DESTDIR)$(PREFIX)/share/doc/latchlift/configs
	$(INSTALL) -d $(RELEASE)/generated
	$(RELEASE)/latchlift man >$(RELEASE)/generated/latchlift.1
	$(RELEASE)/latchlift completions bash >$(RELEASE)/generated/latchlift.bash
	$(RELEASE)/latchlift completions zsh >$(RELEASE)/generated/_latchlift
	$(RELEASE)/latchlift completions fish >$(RELEASE)/generated/latchlift.fish
	$(INSTALL) -D -m 644 $(RELEASE)/generated/latchlift.1 $(DESTDIR)$(PREFIX)/share/man/man1/latchlift.1
	$(INSTALL) -D -m 644 $(RELEASE)/generated/latchlift.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/latchlift
	$(INSTALL) -D -m 644 $(RELEASE)/generated/_latchlift $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_latchlift
	$(INSTALL) -D -m 644 $(RELEASE)/generated/latchlift.fish $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/latchlift.fish

install-plugin:
	@test -f "plugins/$(PLUGIN)/plugin.toml" || { echo "which one? make install-plugin PLUGIN=... ($(PLUGINS))" >&2; exit 2; }
	$(CARGO) build --release --locked -p latchlift-$(PLUGIN)
	$(MAKE) --no-print-directory install-built-$(PLUGIN)

# A library and, beside it under the same name, its facts, which commands read without loading code.
install-built-%:
	$(INSTALL) -d $(DESTDIR)$(PLUGINDIR)
	$(INSTALL) -m 755 $(RELEASE)/liblatchlift_$(subst -,_,$*).so $(DESTDIR)$(PLUGINDIR)
	$(INSTALL) -m 644 plugins/$*/plugin.toml $(DESTDIR)$(PLUGINDIR)/liblatchlift_$(subst -,_,$*).toml

bench:
	$(CARGO) build --quiet --release --locked $(PRODUCTS)
	$(CARGO) build --quiet --release --locked -p latchlift-tests --bin latchlift-bench
	$(RELEASE)/latchlift-bench
