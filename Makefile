# routerd: what a person types. Everything longer than a line is in scripts/.
PREFIX ?= /usr/local
DESTDIR ?=

.PHONY: help run build release test check format bench install uninstall clean

help: ## This list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: ## Install what is missing, build, start routerd on routes/ and place a demonstration call
	@scripts/run

build: ## Debug build
	@scripts/install
	swift build

release: ## Release build, with the Swift runtime inside
	@scripts/install
	swift build -c release --product routerd --static-swift-stdlib

test: ## Install what tests need and run all of them
	@scripts/install --tests
	swift build --build-tests
	swift test --skip-build --no-parallel # calls live in real time: two cores carry one test at a time

check: ## Formatting, warnings as errors in debug and release, architecture and style
	@scripts/install
	swift format lint --strict -r Sources Tests Package.swift
	swift build --build-tests
	swift build -c release --product routerd
	swift test --skip-build --filter TidyTests

format: ## Format the sources in place
	swift format -i -r Sources Tests Package.swift

bench: ## Calls per second and concurrent calls with media, beside a C twin
	@scripts/install --tests
	@$(MAKE) --no-print-directory -C Benchmarks

install: release ## Copy routerd, its unit and its default files to the system (as root)
	install -D -m 755 .build/release/routerd $(DESTDIR)$(PREFIX)/bin/routerd
	install -D -m 644 dist/routerd.service $(DESTDIR)/etc/systemd/system/routerd.service
	sed -i 's|/usr/local/bin/routerd|$(PREFIX)/bin/routerd|' $(DESTDIR)/etc/systemd/system/routerd.service
	install -D -m 644 dist/routerd.sysusers $(DESTDIR)/usr/lib/sysusers.d/routerd.conf
	@test -e $(DESTDIR)/etc/routerd/routerd.yaml || install -D -m 640 dist/routerd.yaml $(DESTDIR)/etc/routerd/routerd.yaml
	@test -e $(DESTDIR)/etc/routerd/routes || { mkdir -p $(DESTDIR)/etc/routerd/routes && cp routes/*.yaml $(DESTDIR)/etc/routerd/routes/; }
	@test -n "$(DESTDIR)" || ! command -v systemd-sysusers || { systemd-sysusers routerd.conf && chgrp -R routerd /etc/routerd; }
	@echo "Now: systemctl daemon-reload && systemctl enable --now routerd"

uninstall: ## Take the program and its unit away; settings and records stay
	rm -f $(DESTDIR)$(PREFIX)/bin/routerd $(DESTDIR)/etc/systemd/system/routerd.service $(DESTDIR)/usr/lib/sysusers.d/routerd.conf

clean: ## Remove what was built
	rm -rf .build
