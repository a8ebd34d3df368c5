# make run    installs what is missing, builds and serves on http://127.0.0.1:8080
# make test   installs what is missing, builds and runs all checks and tests
# make chaos  kills, cuts off, overfills and overloads the real service for some minutes; CHAOS_MINUTES=30 for longer
# make ha-test  two brokers on PostgreSQL, in network namespaces, while hosts vanish and networks part (as root; HA_ROUNDS=20)
# make compose-test  builds the image, brings compose/ up, kills and scales it under load (needs docker compose)
# make observe-test  a real Prometheus scrapes the service while everything goes wrong; the page in a real browser
# make test-long  what takes long: 20,000 seeds of the fault simulation (SEEDS=n), ten million mutated frames, sanitizers
# make cuda   the engine for NVIDIA GPUs, .build/cuda/libaladdin-cuda.so; fetches nvcc from PyPI if there is none
# make cuda-bench  on a GPU: checks its scores, measures decode and prefill, calibrates
# make bench  the table of docs/benchmarks.md, in minutes; LONG=1 for more of it in half an hour, ROWS=a,b for some
# make budgets  counts the instructions of hot paths and fails if there are more than there were (valgrind)
# make bench-engine bench-journal  the CPU engine against memory bandwidth, the journal against the disk

SHELL := /bin/bash
SWIFT_BUILD := swift build -c release --product aladdin

.PHONY: help run build test test-long chaos lint format proto bench reproduce reproduce-full packages test-packages clean

help:
	@sed -n 's/^# \(make .*\)/\1/p' Makefile

packages:
	@.ci/install-packages

test-packages:
	@.ci/install-packages tests

build: packages
	$(SWIFT_BUILD)

run: build
	@exec .build/release/aladdin up $(ARGS)

test: test-packages
	.ci/lint
	python3 -m unittest discover --quiet --start-directory Tests/Chaos --pattern tests.py
	Tests/Observability/check-rules
	Tests/Compose/check
	swift build --build-tests
	# Before the tests, which give a download no time.
	Tests/IntegrationTests/Support/python-environment > /dev/null
	.ci/test

SEEDS ?= 20000
FUZZ_ROUNDS ?= 10000000

# An hour or more on a small machine.
.PHONY: test-long-faults test-long-fuzz test-long-sanitizers
test-long: test-long-faults test-long-fuzz test-long-sanitizers

test-long-faults: packages
	swift build -c release --product FaultSimulation
	.build/release/FaultSimulation --seeds $(SEEDS)

test-long-fuzz: test-packages
	swift build --build-tests
	ALADDIN_FUZZ_ROUNDS=$(FUZZ_ROUNDS) ALADDIN_TEST_MINUTES=600 .ci/test --filter 'Fuzz|LeakTests'

test-long-sanitizers: test-packages
	.ci/test-sanitized thread
	.ci/test-sanitized address

# The real service: processes killed and stopped, links cut, a full disk, three times the load. ARGS='faults --seed 7'.
chaos: packages
	$(SWIFT_BUILD)
	swift build -c release --product ChaosClient
	@Tests/Chaos/run $(if $(CHAOS_MINUTES),--minutes $(CHAOS_MINUTES)) $(ARGS)

# Hosts as network namespaces: killed, cut off, parted, slowed down. ARGS='partitions' for one of the scenarios.
.PHONY: ha-test
ha-test:
	@.ci/install-packages network
	$(SWIFT_BUILD)
	swift build -c release --product ChaosClient
	@Tests/HighAvailability/run $(if $(HA_ROUNDS),--rounds $(HA_ROUNDS)) $(ARGS)

# The containers as users run them: built, brought up, killed and scaled under load. ALADDIN_IMAGE=name skips the build.
.PHONY: compose-test
compose-test:
	@Tests/Compose/run

# Every query of the dashboard, every alert, every metric; screenshots in .build/page. Wants Debian's prometheus, chromium.
.PHONY: observe-test
observe-test: test-packages
	$(SWIFT_BUILD)
	@Tests/Observability/run
	@Tests/Observability/top
	@Tests/Observability/page .build/page

lint: packages
	.ci/lint

format:
	swift format --in-place --recursive --parallel --configuration .swift-format Package.swift Sources Tests

# Regenerates Sources/CAladdinMessages from Protos/ (protoc-c 1.4.1).
proto: packages
	.ci/generate-messages

# Ratios, each of pairs taken in turns: as quiet a machine as there is.
.PHONY: bench-engine bench-journal
bench: packages
	@Tests/Benchmarks/install-peers
	$(SWIFT_BUILD)
	swift build -c release --product BenchProbes
	swift build -c release --product ReferenceEngineBench
	python3 Tests/Benchmarks/bench $(if $(LONG),--long) $(if $(ROWS),--only $(ROWS)) $(ARGS)

.PHONY: budgets
budgets: packages
	swift build -c release --product BenchProbes
	Tests/Benchmarks/budgets

bench-engine: packages
	swift build -c release --product ReferenceEngineBench
	.build/release/ReferenceEngineBench bfloat16

bench-journal: packages
	swift build -c release --product JournalBench
	.build/release/JournalBench

.PHONY: cuda cuda-bench
cuda:
	.ci/build-cuda

# Everything that wants a GPU. cuBLAS is looked for on LD_LIBRARY_PATH, or in ALADDIN_CUBLAS.
cuda-bench: packages cuda
	mkdir -p .build/cuda/grid
	.build/cuda/cuda-bench --csv .build/cuda/grid
	swift build --build-tests
	ALADDIN_CUDA_LIBRARY=$(CURDIR)/.build/cuda/libaladdin-cuda.so .ci/test --filter CUDAEngineTests
	$(SWIFT_BUILD)
	.build/release/aladdin calibrate --prefill-csv .build/cuda/grid/prefill.csv --decode-csv .build/cuda/grid/decode.csv \
	    --out .build/cuda/profile.json

# make reproduce        the short form of the studies (minutes), and docs/reproduction.md from their findings
# make reproduce-full   all of them (hours; goes on where it stopped); SECTION=a,b for some, SECTION=live,mixed-pool,day for the service
reproduce reproduce-full: packages
	swift build -c release --product Reproduction
	$(if $(findstring live,$(SECTION))$(findstring mixed,$(SECTION))$(findstring day,$(SECTION)),$(SWIFT_BUILD))
	.build/release/Reproduction $(if $(filter %-full,$@),--full,--short) $(addprefix --section ,$(SECTION)) $(ARGS)

clean:
	swift package clean
