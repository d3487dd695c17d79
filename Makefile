# Every day: make test, make check, make demo. See CONTRIBUTING.md.
SHELL := /bin/bash
BUILD_FLAGS := --explicit-target-dependency-import-check error

.PHONY: postgres plan-differential matrix sequences sequences-long bench-replication histories bootstrap docs differential determinism fuzz fuzz-long build build-tests test check format demo tsan asan crash test-s3 release record bench-lua bench-engine bench-standby bench-runs bench-plan clean

bootstrap:
	@Scripts/bootstrap.sh

build: bootstrap
	swift build $(BUILD_FLAGS)

test: bootstrap
	swift build --build-tests $(BUILD_FLAGS)
	swift test --skip-build --disable-xctest

# What a change must pass before it is offered: format, rules of the source, runbooks, tests.
check: bootstrap
	swift format lint --strict -r -p Sources Tests Package.swift
	Scripts/check-sources.sh
	$(MAKE) test
	Scripts/check-benchmarks.sh
	.build/debug/drrunbook lint --strict --config Demo/dr.yaml runbooks/*.lua
	.build/debug/drrunbook lint --strict --config runbooks/examples/dr.yaml $$(ls runbooks/examples/*.lua | grep -v _test)
	.build/debug/drrunbook test --config Demo/dr.yaml runbooks --coverage-min 90

# Every schedule of every planted mistake and its twin, 4,000 of two faults, and every schedule of every shipped runbook.
explore: bootstrap
	swift build --build-tests $(BUILD_FLAGS)
	EXPLORE=1 swift test --skip-build --disable-xctest --filter 'ExploreTests|ShippedRunbookTests'

# Generated runbooks over generated states of two sites: planned, run, and compared effect by effect. PLAN_DIFFERENTIAL_SEED=N begins there.
plan-differential: build-tests
	PLAN_DIFFERENTIAL=$${PLAN_DIFFERENTIAL:-2000} swift test --skip-build --disable-xctest --filter PlanDifferentialTests

format:
	swift format -i -r -p Sources Tests Package.swift

demo: build
	Scripts/demo.sh

# kill -9 at failpoints of the demo's failover and of six small runbooks, then resume: the end must be the same. Then two hosts race for one run, and the real
# process is killed at its system calls. CRASH_SAMPLE=all takes every one.
crash: build
	Scripts/crash.sh
	Scripts/crash-runs.sh
	Scripts/crash-hosts.sh
	Scripts/crash-calls.sh

# A real PostgreSQL under load between two sites: points that start and balance, failovers that lose nothing they should not. Needs PostgreSQL installed.
postgres: build
	Scripts/postgres.sh

# The S3 store against moto, and its signatures against botocore's on 3,000 generated requests. Needs pip; less than a minute.
test-s3: build-tests
	Scripts/test-s3.sh

# Generated programs, source texts and values across the Lua boundary. Backtraces of thrown errors, which the testing library keeps until a test
# ends, are off: with them nobody sees what the process itself keeps.
fuzz fuzz-long: export SWT_SWIFT_ERROR_BACKTRACING_ENABLED = 0
fuzz: build-tests
	LUA_FUZZ=30 swift test --skip-build --disable-xctest --filter FuzzTests

fuzz-long: build-tests
	LUA_FUZZ=600 swift test --skip-build --disable-xctest --filter FuzzTests

build-tests: bootstrap
	swift build --build-tests $(BUILD_FLAGS)

histories: build-tests
	HISTORIES=10000 swift test --skip-build --disable-xctest --filter HistoryTests

tsan: bootstrap
	swift test --disable-xctest --sanitize=thread --scratch-path .build-tsan

# Without the suites that run for minutes as they are: what they add is Swift without unsafe code, over the same C that the others run.
asan: bootstrap
	LSAN_OPTIONS=suppressions=$(CURDIR)/Scripts/leaks.supp:print_suppressions=0 swift test --disable-xctest --sanitize=address --scratch-path .build-asan --skip 'FaultMatrixTests|SequenceTests|ExploreTests|ShippedRunbookTests|PlanDifferentialTests|HistoryTests'

# Our pattern and table functions beside the system's own, on 100,000 generated calls.
differential: build-tests
	LUA_DIFFERENTIAL=100000 swift test --skip-build --disable-xctest --filter DifferentialTests

# DocC of LuaBridge; a broken link fails.
docs: bootstrap
	Scripts/docs.sh

# A program that uses all that differs in plain Lua, in fifty processes.
determinism: build-tests
	LUA_PROCESSES=50 swift test --skip-build --disable-xctest --filter DeterminismTests

record: bootstrap
	RECORD=1 swift test --disable-xctest

release: bootstrap
	swift build -c release --static-swift-stdlib --product drrunbook

# LuaBridge beside a host written in C; see docs/benchmarks.md. RECORD=1 writes the figures there.
bench-lua: bootstrap
	Scripts/bench-lua.sh

# The engine with many objects; see docs/benchmarks.md. RECORD=1 writes the figures there.
bench-engine: bootstrap
	Scripts/bench-engine.sh

# Every change of every phase of the data plane, broken in every way. RECORD=1 writes its table into docs/guarantees.md.
matrix: build-tests
	DRRUNBOOK_ALL_CRASHES=1 swift test --skip-build --disable-xctest --filter FaultMatrixTests

# Seeded histories of a volume against a model.
sequences: build-tests
	SEQUENCES=2000 swift test --skip-build --disable-xctest --filter SequenceTests

sequences-long: build-tests
	SEQUENCES=10000 swift test --skip-build --disable-xctest --filter SequenceTests

# A failover by how its volume stands by; see docs/benchmarks.md. RECORD=1 writes the figures there.
bench-standby: bootstrap
	Scripts/bench-standby.sh

# What runs cost: the journal beside the disk, resume, verbs in a plan; see docs/benchmarks.md. RECORD=1 writes the figures there.
bench-runs: bootstrap
	Scripts/bench-runs.sh

# Plans of many applications, tests and explored schedules; see docs/benchmarks.md. RECORD=1 writes the figures there.
bench-plan: bootstrap
	Scripts/bench-plan.sh

# Our data plane beside rsync, restic, borg, qemu-img, cp and dd; SIZE=1 GiB, see docs/benchmarks.md. RECORD=1 writes the figures there.
bench-replication: bootstrap
	Scripts/bench-replication.sh

clean:
	rm -rf .build .build-* .demo
