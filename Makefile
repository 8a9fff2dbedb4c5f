# The commands of this repository; `make` alone lists them.
.DEFAULT_GOAL := help
SEEDS ?= 0..10000
.PHONY: help run test simulate torture bench schemas golden lint fmt deny

help: ## List these commands
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1\t/' | expand -t 10

run: ## Build, start NATS and the ledger, load the demo, stay up until Ctrl-C
	@tools/run

test: ## Run every test (installs nats-server and nats-py into .tools if they are missing)
	@tools/test

simulate: ## Run seeds of the simulation, SEEDS=0..10000 unless said otherwise
	cargo run --release -p simulation -- --seeds $(SEEDS)
	cargo run --release -p simulation -- --cluster --seeds $(SEEDS)

torture: ## Kill the real service again and again under load; TORTURE_KILLS=20 times unless said otherwise
	cargo build --release --locked -p bincard
	@BINCARD="$${CARGO_TARGET_DIR:-target}/release/bincard" tools/torture
	@BINCARD_KILLS=$${TORTURE_KILLS:-20} BINCARD_CLUSTER=1 cargo test --release -p bincard --test takeover -- --nocapture --test-threads 1

bench: ## Measure, each figure beside a peer or a limit in the same run
	BINCARD_COMMIT=$$(git describe --always --dirty) cargo bench -p benches --features peers
	cargo bench -p ledger-core --bench speed --bench memory

schemas: ## Regenerate schemas/ from the types
	cargo run --quiet -p bincard -- schemas --out schemas

golden: ## Write golden files for new stored shapes (existing ones are never rewritten)
	BINCARD_WRITE_GOLDEN=1 cargo test -p ledger-core --test golden
	BINCARD_WRITE_GOLDEN=1 cargo test -p replay --test committed_journals

lint: ## Formatting, clippy and dependency rules, as CI checks them
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	@tools/deny

fmt: ## Format the code
	cargo fmt --all

deny: ## Check licences, sources and advisories of the dependencies
	@tools/deny
