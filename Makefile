SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help run stack test schemathesis chaos fuzz bench bench-stack bench-imports bench-imports-budget lint fmt openapi

help: ## Show the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  %-20s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: ## Start Plateia with demonstration data: one process, nothing to install
	cargo run --release -p plateia -- demo

stack: ## Start the three services on real servers, audience-service twice
	cargo build --release -p audience-service -p import-job-service -p scheduler-service
	deploy/dev/servers run deploy/dev/stack target/release

test: lint schemathesis ## Check and test everything, with servers of its own
	deploy/dev/servers run $(SHELL) -c 'cargo nextest run --workspace --no-fail-fast && \
	  cargo build --quiet -p audience-service -p chaos && $${CARGO_TARGET_DIR:-target}/debug/chaos --sample'

schemathesis: ## Compare the answers of every operation with the OpenAPI document (arguments in ARGS)
	cargo build --quiet -p plateia
	deploy/dev/schemathesis $${CARGO_TARGET_DIR:-target}/debug/plateia $(ARGS)

chaos: ## Disturb replicas on real servers, case by case (arguments in ARGS, such as --list)
	cargo build -p audience-service -p chaos
	deploy/dev/servers run $${CARGO_TARGET_DIR:-target}/debug/chaos $(ARGS)

TARGETS ?= csv ndjson xlsx document phone

fuzz: ## Feed readers and parsers made-up input, a minute each (TARGETS, ARGS such as -max_total_time=1200)
	cd fuzz && for target in $(TARGETS); do mkdir -p corpus/$$target && \
	  tar xzf kept/$$target.tar.gz --skip-old-files -C corpus/$$target && \
	  cargo fuzz run -s none $$target corpus/$$target seeds/$$target -- -max_total_time=60 -max_len=16384 \
	    -rss_limit_mb=1024 -timeout=20 $$(ls dict/$$target.dict 2>/dev/null | sed s/^/-dict=/) $(ARGS) || exit 1; done

bench: ## Measure a release build beside the bare store: one table (arguments in ARGS)
	cargo build --release -p plateia -p bench
	target/release/bench --program target/release/plateia $(ARGS)

bench-stack: ## The same of a replica on real servers, beside the bare driver of MongoDB
	cargo build --release -p audience-service -p bench
	deploy/dev/servers run --durable target/release/bench --stack --program target/release/audience-service $(ARGS)

bench-imports: ## Imports on PostgreSQL against a made-up CRM: rows a second, memory, a quiet second run (ARGS)
	cargo build --release -p fake-crm
	cargo build --release -p import-job-service --example bench_imports
	deploy/dev/servers run --durable --only postgres target/release/examples/bench_imports --fake target/release/fake-crm $(ARGS)

bench-imports-budget: ## The budget of imports in real time: two replicas, 180 seconds
	$(MAKE) bench-imports ARGS='--budget-seconds 180 $(ARGS)'

lint: ## Formatting, lints, direction of dependencies, sizes
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	cargo run --quiet -p xtask -- arch
	cargo run --quiet -p xtask -- size

fmt: ## Format the code
	cargo fmt --all

openapi: ## Write the OpenAPI documents that the code makes
	cargo run --quiet -p audience-service --example openapi > proto/openapi/audience.json
	cargo run --quiet -p import-job-service --example imports_openapi > proto/openapi/imports.json
