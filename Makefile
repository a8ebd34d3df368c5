# make run    installs what is missing, builds and serves on http://127.0.0.1:8080
# make test   installs what is missing, builds and runs all checks and tests
# make test-long  what takes minutes: 20,000 seeds of the fault simulation (SEEDS=n for another number)
# make bench  figures with wall-clock times: the CPU engine, the journal

SHELL := /bin/bash
SWIFT_BUILD := swift build -c release --product aladdin

.PHONY: help run build test test-long lint format proto bench reproduce reproduce-full packages clean

help:
	@sed -n 's/^# \(make .*\)/\1/p' Makefile

packages:
	@.ci/install-packages

build: packages
	$(SWIFT_BUILD)

run: build
	@exec .build/release/aladdin up $(ARGS)

test: packages
	.ci/lint
	swift build --build-tests
	.ci/test

SEEDS ?= 20000

test-long: packages
	swift build -c release --product FaultSimulation
	.build/release/FaultSimulation --seeds $(SEEDS)

lint: packages
	.ci/lint

format:
	swift format --in-place --recursive --parallel --configuration .swift-format Package.swift Sources Tests

# Regenerates Sources/CAladdinMessages from Protos/ (protoc-c 1.4.1).
proto: packages
	.ci/generate-messages

# Figures with wall-clock times; quiet machine, a few minutes.
bench: packages
	swift build -c release --product ReferenceEngineBench
	.build/release/ReferenceEngineBench bfloat16
	swift build -c release --product JournalBench
	.build/release/JournalBench

# make reproduce        the short form of the studies (minutes), and docs/reproduction.md from their findings
# make reproduce-full   all of them (hours; goes on where it stopped); SECTION=a,b for some, SECTION=live for the service
reproduce reproduce-full: packages
	swift build -c release --product Reproduction
	$(if $(findstring live,$(SECTION)),$(SWIFT_BUILD))
	.build/release/Reproduction $(if $(filter %-full,$@),--full,--short) $(addprefix --section ,$(SECTION)) $(ARGS)

clean:
	swift package clean
