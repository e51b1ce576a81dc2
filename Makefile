# ociforge. `make help` lists what there is.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

PREFIX ?= /usr/local
ARCH := $(subst x86_64,amd64,$(subst aarch64,arm64,$(shell uname -m)))
RELEASE := .build/release/ociforge

# The release executable is static: its bytes, and so the bytes it writes, do not follow the machine's
# libraries. libarchive's own dependencies have to be named for that; STATIC= builds a dynamic one.
STATIC ?= -Xswiftc -static-executable $(addprefix -Xlinker -l,nettle acl lzma zstd lz4 bz2)

# Paths in the executable (of assertions, of BoringSSL's errors) start from here, not from the builder's folders.
RELOCATE := -Xswiftc -file-prefix-map -Xswiftc $(CURDIR)=. \
  -Xcc -ffile-prefix-map=$(CURDIR)=. -Xcxx -ffile-prefix-map=$(CURDIR)=.

export PATH := $(CURDIR)/.venv/bin:$(PATH):/usr/sbin:/sbin

##@ Use
demo: deps release ## install what is missing, build, assemble a real image, show it and run it
	tools/demo.sh

build: ## build the release executable: .build/release/ociforge
	swift build -c release --product ociforge $(STATIC) $(RELOCATE)

release: build ## make dist/: the stripped executable and its SHA256SUMS
	mkdir -p dist
	strip -o dist/ociforge-linux-$(ARCH) $(RELEASE)
	cd dist && sha256sum ociforge-linux-* > SHA256SUMS

install: build ## install the executable and shell completions below PREFIX
	install -Dm 755 $(RELEASE) $(DESTDIR)$(PREFIX)/bin/ociforge
	mkdir -p $(DESTDIR)$(PREFIX)/share/{bash-completion/completions,zsh/site-functions,fish/vendor_completions.d}
	$(RELEASE) --generate-completion-script bash > $(DESTDIR)$(PREFIX)/share/bash-completion/completions/ociforge
	$(RELEASE) --generate-completion-script zsh > $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_ociforge
	$(RELEASE) --generate-completion-script fish > $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/ociforge.fish

##@ Develop
test: deps deps-test ## run all tests; peers that are missing are skipped, in CI they fail
	swift build --build-tests
	tools/test.sh

check: deps deps-test lint release ## lint, release build and all tests: what CI runs
	$(MAKE) test

lint: ## check the format and what the compiler cannot
	swift format lint --strict --parallel -r Sources Tests Package.swift
	tools/lint.sh

format: ## format the sources in place
	swift format -i --parallel -r Sources Tests Package.swift

golden: ## record the golden files again; review the diff
	OCIFORGE_RECORD=1 swift test || true
	git diff --stat testdata

clean: ## remove everything that was built
	rm -rf .build dist build .venv

##@ Install what is needed
deps: ## the build libraries
	tools/deps.sh build

deps-test: ## the programs that tests use as peers
	tools/deps.sh test

help: ## this list
	@awk 'BEGIN { FS = ":.*## " } /^##@/ { print "\n" substr($$0, 5) } \
	  /^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo build release install test check lint format golden clean deps deps-test help
