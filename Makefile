# Two commands do everything on a Debian machine that has a Swift toolchain: `make demo` and `make test`.
# Nothing is fetched when nothing is missing.

PACKAGES := libsqlite3-dev libcurl4-openssl-dev libmicrohttpd-dev librdkafka-dev libssl-dev libyaml-dev zlib1g-dev \
            python3-venv git
SWIFT ?= swift
BINARY := .build/release/millrace
REQUIREMENTS := Tests/EndToEndTests/Independent/requirements.txt
FORMATTED := Sources Tests schemas examples/kafka-consumer-swift Package.swift

.DEFAULT_GOAL := help
.PHONY: help demo test soak fuzz sanitize bench build format lint layers clean packages

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' Makefile

demo: build ## installs what is missing, builds, and shows the whole chain on this machine
	@$(BINARY) demo

test: packages .venv/complete ## installs what is missing, and runs every test
	@timeout --kill-after=10 900 $(SWIFT) test --disable-xctest --explicit-target-dependency-import-check error

SEEDS ?= 10
soak: packages ## SEEDS=1000 lives cut off at every write and as many schedules of faults; prints the seed of what fails
	@SIMULATION_SEEDS=$(SEEDS) $(SWIFT) test --disable-xctest --filter '^SimulationTests'
	@CRASH_SEEDS=$(SEEDS) $(SWIFT) test --disable-xctest --filter '^CrashTests'

FUZZ_SECONDS ?= 10
FUZZED := tanma weiban configuration target requests answers dates positions
fuzz: packages ## FUZZ_SECONDS=600 of libFuzzer for each reader of foreign bytes, from the corpus; crashes land in .build/fuzz
	@MILLRACE_FUZZ=1 $(SWIFT) build --quiet --sanitize=fuzzer --product fuzz --scratch-path .build/fuzz
	@for target in $(FUZZED); do \
		mkdir -p .build/fuzz/found/$$target; \
		echo "fuzzing $$target for $(FUZZ_SECONDS) s"; \
		FUZZ_TARGET=$$target .build/fuzz/debug/fuzz -max_total_time=$(FUZZ_SECONDS) -max_len=16384 -timeout=10 \
			-rss_limit_mb=2048 -verbosity=0 -artifact_prefix=.build/fuzz/$$target- \
			.build/fuzz/found/$$target Tests/FuzzTests/Corpus/$$target >.build/fuzz/$$target.log 2>&1 \
			|| { tail -n 40 .build/fuzz/$$target.log; exit 1; }; \
	done

SANITIZED := 'PersistingTests|PublishingTests|IngestingTests|SQLiteTests|ServicesTests|EventModelTests|RowDecodingTests'
sanitize: packages ## the suites without foreign threads, under the address and the thread sanitizer
	@for kind in address thread; do \
		TSAN_OPTIONS="suppressions=$(CURDIR)/Tests/thread-sanitizer.txt" \
		$(SWIFT) test --disable-xctest --sanitize=$$kind --scratch-path .build/$$kind --filter $(SANITIZED) || exit 1; \
	done

bench: build ## what the relay does in a second, beside what the machine allows; JSON=file keeps it, BENCH='growth --sizes 10000,5000000'
	@$(SWIFT) build --configuration release --product bench
	@.build/release/bench $(BENCH) $(if $(JSON),--json $(JSON))

build: packages ## the release binary, .build/release/millrace
	@$(SWIFT) build --configuration release --product millrace

format: ## formats every Swift file
	@$(SWIFT) format --in-place --recursive $(FORMATTED)

lint: layers ## what must be true of the sources before they are tested: format and layering
	@$(SWIFT) format lint --strict --recursive $(FORMATTED)

layers:
	@.ci/layers

clean: ## removes everything that was built
	@rm -rf .build .venv

# What dpkg does not know as installed, by apt-get; as root, or through sudo.
packages:
	@missing=; for name in $(PACKAGES); do \
		[ "$$(dpkg-query --show --showformat='$${db:Status-Status}' $$name 2>/dev/null)" = installed ] \
			|| missing="$$missing $$name"; \
	done; \
	[ -z "$$missing" ] && exit 0; \
	echo "installing$$missing"; \
	sudo=; [ "$$(id -u)" = 0 ] || sudo=sudo; \
	export DEBIAN_FRONTEND=noninteractive; \
	$$sudo apt-get update --quiet=2 && \
	$$sudo apt-get install --quiet=2 --yes --no-install-recommends $$missing

# The Python libraries that look at the relay's output from outside, for IndependentTests.
.venv/complete: $(REQUIREMENTS) | packages
	@echo "preparing .venv"
	@python3 -m venv --clear .venv
	@.venv/bin/python -m pip install --quiet --disable-pip-version-check --requirement $(REQUIREMENTS)
	@touch $@
