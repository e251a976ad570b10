SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help run stack test schemathesis chaos fuzz bench bench-stack bench-due bench-imports bench-imports-budget lint fmt openapi asyncapi

TARGET := $${CARGO_TARGET_DIR:-target}
# The features of what the programs stand on are those that all packages ask for together, whichever program is
# built: so each profile builds it once.
BUILD := cargo build --workspace
# The same with what tests ask for, which an example among the targets brings in.
BUILD_AS_TESTS := $(BUILD) --example openapi

help: ## Show the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  %-20s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: ## Start Plateia with demonstration data: one process, nothing to install
	$(BUILD) --profile quick --bin plateia
	$(TARGET)/quick/plateia demo

stack: ## Start the four services on real servers, audience-service twice
	$(BUILD) --profile quick --bin audience-service --bin import-job-service --bin scheduler-service --bin plateia-sender
	deploy/dev/servers run deploy/dev/stack $(TARGET)/quick

test: lint ## Check and test everything, with servers of its own
	$(BUILD) --all-targets
	deploy/dev/schemathesis $(TARGET)/debug/plateia
	deploy/dev/bigquery-emulator
	deploy/dev/googlesql-engine --install
	deploy/dev/servers run $(SHELL) -c 'cargo nextest run --workspace --no-fail-fast && \
	  $(TARGET)/debug/chaos --sample'

schemathesis: ## Compare the answers of every operation with the OpenAPI document (arguments in ARGS)
	$(BUILD_AS_TESTS) --bin plateia
	deploy/dev/schemathesis $(TARGET)/debug/plateia $(ARGS)

chaos: ## Disturb replicas on real servers, case by case (arguments in ARGS, such as --list)
	$(BUILD_AS_TESTS) --bin audience-service --bin scheduler-service --bin plateia-sender --bin chaos
	deploy/dev/servers run $(TARGET)/debug/chaos $(ARGS)

TARGETS ?= csv ndjson xlsx document phone segment

fuzz: ## Feed readers and parsers made-up input, a minute each (TARGETS, ARGS such as -max_total_time=1200)
	cd fuzz && for target in $(TARGETS); do mkdir -p corpus/$$target && \
	  tar xzf kept/$$target.tar.gz --skip-old-files -C corpus/$$target && \
	  cargo fuzz run -s none $$target corpus/$$target seeds/$$target -- -max_total_time=60 -max_len=16384 \
	    -rss_limit_mb=1024 -timeout=20 $$(ls dict/$$target.dict 2>/dev/null | sed s/^/-dict=/) $(ARGS) || exit 1; done

bench: ## Measure a release build beside the bare store: one table (arguments in ARGS)
	$(BUILD) --release --bin plateia --bin bench
	$(TARGET)/release/bench --program $(TARGET)/release/plateia $(ARGS)

bench-stack: ## The same of a replica on real servers, beside the bare driver of MongoDB
	$(BUILD) --release --bin audience-service --bin bench
	deploy/dev/servers run --durable $(TARGET)/release/bench --stack \
	  --program $(TARGET)/release/audience-service $(ARGS)

bench-due: ## Communications that fall due, beside other schedulers (npm) and the bare broker (ARGS)
	$(BUILD) --release --bin audience-service --bin scheduler-service --bin bench
	deploy/dev/servers run --durable $(TARGET)/release/bench --stack --only due \
	  --program $(TARGET)/release/audience-service $(ARGS)

bench-imports: ## Imports on PostgreSQL against a made-up CRM: rows a second, memory, a quiet second run (ARGS)
	$(BUILD) --release --bin fake-crm --example bench_imports
	deploy/dev/servers run --durable --only postgres $(TARGET)/release/examples/bench_imports \
	  --fake $(TARGET)/release/fake-crm $(ARGS)

bench-imports-budget: ## The budget of imports in real time: two replicas, 180 seconds
	$(MAKE) bench-imports ARGS='--budget-seconds 180 $(ARGS)'

lint: ## Formatting, lints, direction of dependencies, their licences and sources, sizes
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	deploy/dev/cargo-deny check bans licenses sources
	$(BUILD) --quiet --bin xtask
	$(TARGET)/debug/xtask arch
	$(TARGET)/debug/xtask size

fmt: ## Format the code
	cargo fmt --all

openapi: ## Write the OpenAPI documents and the JSON Schema that the code makes
	$(BUILD_AS_TESTS) --example imports_openapi --example communications_openapi --example segments_schema
	$(TARGET)/debug/examples/openapi > proto/openapi/audience.json
	$(TARGET)/debug/examples/imports_openapi > proto/openapi/imports.json
	$(TARGET)/debug/examples/communications_openapi > proto/openapi/communications.json
	$(TARGET)/debug/examples/segments_schema > proto/segments/v1.json

asyncapi: ## Write the AsyncAPI document of the events
	$(BUILD_AS_TESTS) --example asyncapi
	$(TARGET)/debug/examples/asyncapi > proto/asyncapi.json
