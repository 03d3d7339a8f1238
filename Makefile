# Lexstream's commands. Bare `make` lists them.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

# Where cargo builds, which its configuration may say too.
TARGET := $(or $(CARGO_TARGET_DIR),$(shell cargo metadata --no-deps --format-version 1 2>/dev/null | sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p'),target)
TOOLS := $(TARGET)/tools
export LEXSTREAM_PYTHON := $(abspath $(TOOLS)/venv/bin/python)
VERSION := $(shell sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"/\1/p' Cargo.toml)
DIST := lexstream-$(VERSION)-$(shell uname -s | tr A-Z a-z)-$(shell uname -m)

.PHONY: help
help: ## List these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: toolchain
toolchain:
	@command -v cargo >/dev/null || { echo "error: cargo is missing: install Rust 1.94 or later with rustup" >&2; exit 1; }
	@command -v cc >/dev/null || { echo "error: a C compiler is missing: install gcc or clang (Debian: apt-get install gcc)" >&2; exit 1; }
	@for tool in c++ make perl; do command -v $$tool >/dev/null || { echo "error: $$tool is missing, with which librdkafka and OpenSSL are built (Debian: apt-get install g++ make perl)" >&2; exit 1; }; done

.PHONY: build
build: toolchain ## Build the command line, the examples and all tests, in one profile
	@echo "building; the first time takes about 10 minutes on two cores, later ones seconds"
	@SECONDS=0; cargo build --workspace --all-targets && echo "built in $$SECONDS s"

.PHONY: demo
demo: models build ## Write a corpus out of the crates' README files and query it
	@LEXSTREAM=$(abspath $(TARGET))/debug/lexstream LEXSTREAM_MODELS=$(abspath $(TOOLS))/models examples/demo.sh $(abspath $(TARGET))/demo

.PHONY: test
test: kafka models chromium build ## Set up what the tests need and run them all
	@cargo test --workspace

# What `make test-fast` leaves out: tests of the integration crate that need Java (a real Apache Kafka), and those that
# need Python (readers of our files, ONNX Runtime, the models of `make models`, a page in Chromium).
NEED_JAVA := cases::cases_by_sql_over_topics cases::cases_by_stream check::topics_and_offsets_are_looked_at \
	kafka_harness:: kafka_insert:: kafka_options:: kafka_security:: kafka_sql:: \
	stream_faults:: stream_files:: stream_limits:: stream_listen:: stream_poison:: stream_rules::
NEED_PYTHON := batch_broken::a_page_that_is_not_what_its_checksum_says batch_broken::the_rows_before_damage \
	batch_kills::a_job_with_models demo::the_demo_runs examples::every_example hub:: \
	onnx:: onnx_agreement:: onnx_data:: onnx_plan:: onnx_predict:: onnx_refused:: onnx_rowwise:: \
	parquet_readers:: profile::a_browser schemas::

.PHONY: test-fast
test-fast: build ## Run the tests that need no Java, Chromium or Python; minutes after the build
	@cargo test --workspace --lib
	@cargo test --workspace --test integration -- $(addprefix --skip ,$(NEED_JAVA) $(NEED_PYTHON))
	@echo "left out, make test runs them: $(NEED_JAVA) $(NEED_PYTHON)"

.PHONY: test-faults
test-faults: kafka models build ## Kill streams, their broker and batch jobs again and again, and print the counts (half an hour)
	@LEXSTREAM_TEST_KILLS=$(or $(LEXSTREAM_TEST_KILLS),200) cargo test --workspace --test integration -- --nocapture --test-threads 2 stream_faults:: stream_files:: stream_rules:: batch_kills::

# Each is built alone by `make check`, and none; all together everywhere else.
FEATURES := cli kafka onnx

.PHONY: check
check: toolchain ## Formatting, lints (with each feature alone too), documentation and licences
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	cargo clippy -p lexstream --lib --no-default-features -- -D warnings
	for feature in $(FEATURES); do cargo clippy -p lexstream --lib --bins --no-default-features --features $$feature -- -D warnings; done
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps
	@cargo deny --version >/dev/null 2>&1 || { echo "error: cargo-deny is missing: cargo install --locked cargo-deny" >&2; exit 1; }
	cargo deny --log-level error check bans licenses sources

.PHONY: bench
bench: toolchain models ## Compare with scikit-learn, jieba and ONNX Runtime in Python, as ratios (a release build, then minutes)
	cargo build --release -p lexstream --bin lexstream
	$(LEXSTREAM_PYTHON) python/bench.py $(abspath $(TARGET))/release/lexstream
	$(LEXSTREAM_PYTHON) python/bench_text.py $(abspath $(TARGET))/release/lexstream
	$(LEXSTREAM_PYTHON) python/bench_models.py $(abspath $(TARGET))/release/lexstream $(abspath $(TOOLS))/models
	cargo bench -p lexstream-udfs

.PHONY: bench-batch
bench-batch: toolchain models ## Compare batch jobs with DuckDB, Polars and lexstream sql, as ratios
	cargo build --release -p lexstream --bin lexstream
	$(LEXSTREAM_PYTHON) python/bench_batch.py $(abspath $(TARGET))/release/lexstream $(abspath $(TOOLS))/models

.PHONY: bench-kafka
bench-kafka: toolchain models kafka ## Compare streams with hand-written programs, as ratios (BENCH=--quick: minutes)
	cargo build --release -p lexstream --bin lexstream
	cargo build --release -p lexstream-kafka-peer
	$(LEXSTREAM_PYTHON) python/bench_kafka.py $(abspath $(TARGET))/release/lexstream $(abspath $(TARGET))/release/kafka_peer $(abspath $(TOOLS))/models $(abspath $(TOOLS))/kafka/lib $(BENCH)

.PHONY: docs
docs: build ## Write the reference pages under docs/ anew from the code
	$(TARGET)/debug/lexstream reference docs

.PHONY: goldens
goldens: models ## Write the golden values of the tests anew from the reference implementations
	$(LEXSTREAM_PYTHON) python/goldens.py
	$(LEXSTREAM_PYTHON) python/model_goldens.py $(TOOLS)/models

.PHONY: dist
dist: toolchain models ## Make a tarball of a stripped binary with thin LTO, and ONNX Runtime
	cargo build --profile dist -p lexstream --bin lexstream
	rm -rf $(TARGET)/package/$(DIST) && mkdir -p $(TARGET)/package/$(DIST)
	cp $(TARGET)/dist/lexstream README.md CHANGELOG.md LICENSE $(TARGET)/package/$(DIST)
	cp crates/*/src/LICENSE-*.txt $(TARGET)/package/$(DIST)
	cp -L $(TOOLS)/models/onnxruntime/* $(TARGET)/package/$(DIST)
	@package=$$($(LEXSTREAM_PYTHON) -c 'import importlib.util as found; print(*found.find_spec("onnxruntime").submodule_search_locations)'); \
	for name in LICENSE ThirdPartyNotices.txt; do cp "$$package/$$name" "$(TARGET)/package/$(DIST)/onnxruntime-$$name"; done
	@# The library beside the binary is the one that is found.
	@home=$$(mktemp -d) && trap 'rm -rf "$$home"' EXIT && env -u ORT_DYLIB_PATH $(TARGET)/package/$(DIST)/lexstream sql -q --home "$$home" --format csv \
		-c "CREATE MODEL price WITH ('path' = '$(abspath $(TOOLS))/models/price'); SELECT predict('price', [80.0, 3.0]) AS price"
	tar -C $(TARGET)/package -czf $(TARGET)/package/$(DIST).tar.gz $(DIST)
	@echo "$(TARGET)/package/$(DIST).tar.gz"

.PHONY: tools
tools: $(TOOLS)/venv/.ready ## Set up the Python libraries that the tests and benchmarks compare with

$(TOOLS)/venv/.ready: python/requirements.txt python/requirements-alone.txt
	@command -v python3 >/dev/null || { echo "error: python3 is missing: install Python 3.11 or later with venv (Debian: apt-get install python3-venv)" >&2; exit 1; }
	@echo "installing python/requirements*.txt into $(TOOLS)/venv; about a minute, once"
	@rm -rf $(TOOLS)/venv && python3 -m venv $(TOOLS)/venv || { echo "error: python3 has no venv (Debian: apt-get install python3-venv)" >&2; exit 1; }
	@$(TOOLS)/venv/bin/python -m pip install --quiet --requirement python/requirements.txt
	@$(TOOLS)/venv/bin/python -m pip install --quiet --no-deps --requirement python/requirements-alone.txt
	@touch $@

.PHONY: models
models: $(TOOLS)/models/.ready ## Fetch ONNX Runtime, and write the models that the demo and the tests use

$(TOOLS)/models/.ready: $(TOOLS)/venv/.ready python/models.py
	@echo "writing models into $(TOOLS)/models; seconds"
	@$(LEXSTREAM_PYTHON) python/models.py $(TOOLS)/models
	@touch $@

.PHONY: kafka
kafka: java $(TOOLS)/kafka/.ready ## Fetch Apache Kafka, which the tests of streams run against

.PHONY: java
java:
	@found=$$({ java -version 2>&1 || true; } | sed -n 's/.* version "\([0-9]*\).*/\1/p'); \
	[[ "$${found:-0}" -ge 17 ]] || { echo "error: the tests run Apache Kafka, which needs Java 17 or later, found $${found:-none}: install a JRE (Debian: apt-get install openjdk-17-jre-headless)" >&2; exit 1; }

.PHONY: chromium
chromium:
	@command -v chromium chromium-browser google-chrome >/dev/null || { [[ $$(id -u) == 0 ]] && command -v apt-get >/dev/null && $(MAKE) --no-print-directory debian-chromium; } \
		|| { echo "error: chromium is missing, in which a test opens the page of lexstream profile: install it (Debian: apt-get install chromium)" >&2; exit 1; }

.PHONY: debian-chromium
debian-chromium: export DEBIAN_FRONTEND := noninteractive
debian-chromium:
	@echo "installing Chromium, in which a test opens the page of lexstream profile; about a minute, once"
	@install="apt-get install -qq --no-install-recommends chromium"; \
	$$install >/dev/null 2>&1 || { apt-get update -qq && $$install >/dev/null; }

$(TOOLS)/kafka/.ready: integration-tests/kafka/pom.xml
	@command -v mvn >/dev/null || { echo "error: mvn is missing: install Maven 3.6 or later, which fetches Apache Kafka for the tests (Debian: apt-get install maven)" >&2; exit 1; }
	@echo "fetching Apache Kafka into $(TOOLS)/kafka, 43 MB; half a minute, once"
	@rm -rf $(TOOLS)/kafka
	@mvn -q -B --strict-checksums -f $< dependency:copy-dependencies -DoutputDirectory=$(abspath $(TOOLS))/kafka/lib
	@touch $@
